"""Changes of a supporter's customer object at Stripe: it was deleted, or has another email address.

Neither changes the supporter in our database. Called by the handlers of customer.*, inside the transaction. The card or
account that a customer pays with is in methods.py.
"""

from __future__ import annotations

from django.db.models import Q
from django.utils.crypto import salted_hmac

from members import addresses
from members.models import Supporter, TimelineEntry
from payments import cases
from payments.models import Case
from payments.stripe_api import account_values


def givers(customer_id: str) -> list[Supporter]:
    """Return the supporters who have given as this Stripe customer, once or regularly; [] for an empty id."""
    if not customer_id:
        return []
    gave = Q(subscriptions__stripe_customer_id=customer_id) | Q(payments__stripe_customer_id=customer_id)
    return list(Supporter.objects.filter(gave).distinct().order_by("pk"))


def note_deleted(customer_id: str) -> None:
    """Add to the timeline that a customer was deleted at Stripe. Idempotent. The supporter stays in our database."""
    for supporter in givers(customer_id):
        TimelineEntry.objects.get_or_create(
            supporter=supporter, action="customer.deleted", details={"customer": customer_id}
        )


def check_address(customer: account_values.Customer) -> None:
    """Open a case, once per address, if the customer's email address at Stripe differs from the supporter's.

    A typed address proves nothing, so we neither use nor copy it: emails still go to our address, and staff read the
    other one at Stripe.
    """
    for supporter in givers(customer.id):
        if supporter.erased_at:
            continue
        email = addresses.normal(customer.email or "").lower()
        if email and email != supporter.email.lower():
            mark = salted_hmac("payments.customers", email).hexdigest()[:16]
            facts = {"customer": customer.id}
            cases.open_case(Case.Kind.EMAIL_DIFFERS, f"{customer.id}:{supporter.pk}:{mark}", supporter, facts)
