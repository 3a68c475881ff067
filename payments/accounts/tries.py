"""Whether Stripe tries a failed payment again, and on which day: the rule that pages and emails ask."""

from __future__ import annotations

from datetime import date

from members import clock
from payments.models import Payment

# Declines after which Stripe carries out no try of its own until there is another card, although it plans them:
# https://docs.stripe.com/billing/revenue-recovery/smart-retries
HARD = {
    "incorrect_number",
    "lost_card",
    "pickup_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "stolen_card",
}
# A card that has expired fails at every try.
EXPIRED = "expired_card"


def next_try_on(payment: Payment) -> date | None:
    """Return the day on which a try of Stripe's may still take this failed payment; None if there is none."""
    if payment.next_attempt_at is None or payment.failure_code in HARD | {EXPIRED}:
        return None
    return clock.day_of(payment.next_attempt_at)
