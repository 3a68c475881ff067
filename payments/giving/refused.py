"""A gift that Stripe refuses to begin: at which field the reader can correct it, or a case for staff.

Called by the details page (views/give.py). The alert about the cases is in alerts/rules.py.
"""

from __future__ import annotations

import logging

from django.utils.translation import gettext as _

from members import clock
from payments import cases
from payments.errors import KeyRefused, StripeRefused
from payments.models import Case

log = logging.getLogger("hromada.requests")

# Start of the keys of these cases.
KEY = "checkout-refused:"
# Stripe's codes and parameters for an address or an amount that it does not accept: https://docs.stripe.com/error-codes
EMAIL_CODES = ("email_invalid",)
EMAIL_PARAMS = ("customer_email", "email")
TOO_SMALL, TOO_LARGE = "amount_too_small", "amount_too_large"


def field(problem: KeyRefused | StripeRefused) -> str:
    """Return the field in which the reader can correct what Stripe refused: "email" or "amount"; "" if it is our fault.

    Logs Stripe's code, without what was typed.
    """
    log.warning("gift refused by Stripe: %s", problem)
    if isinstance(problem, KeyRefused):
        return ""
    if problem.code in EMAIL_CODES or problem.param in EMAIL_PARAMS:
        return "email"
    return "amount" if problem.code in (TOO_SMALL, TOO_LARGE) else ""


def amount_sentence(problem: StripeRefused) -> str:
    """Return the error message for an amount that Stripe does not take: it says what to do."""
    if problem.code == TOO_SMALL:
        return _("Choose a larger amount: Stripe, which takes the payment, does not accept so small a one")
    return _("Choose a smaller amount, or use a bank transfer: Stripe does not accept so large a one")


def open_case(problem: KeyRefused | StripeRefused) -> None:
    """Open a case with Stripe's code, once per code and day: no gift of this kind can begin. Idempotent."""
    key = f"{KEY}{clock.today().isoformat()}:{problem}"[:200]
    cases.open_case(Case.Kind.REQUEST_REFUSED, key, facts={"reason": str(problem)})
