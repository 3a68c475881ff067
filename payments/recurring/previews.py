"""Previews: the sum that Stripe will take next, for gifts of which our row alone cannot say it, before it is announced.

By credit, a discount or a planned change the next payment may take another sum than the gift's amount. Called by the
daily jobs before the emails that are due, outside any transaction. See docs/decisions/0027.
"""

from __future__ import annotations

import logging
from datetime import date
from functools import partial

from payments import key_faults, locks
from payments.errors import StripeRefused, StripeUnavailable
from payments.letters import calendar as calendar_letters
from payments.letters import reminders
from payments.models import Subscription
from payments.stripe_api import budget, client

log = logging.getLogger("hromada.previews")

# The emails that announce a payment.
ANNOUNCING = (reminders.YEARLY, calendar_letters.NEXT_MONTH)
# How long to wait for the lane of a customer, so that no older sum is stored after a newer one (docs/decisions/0028).
PATIENCE_SECONDS = 2.0


def look_up(today: date) -> int:
    """Store what the next payment takes for gifts whose announcement is due and whose sum is not sure; return how many.

    If Stripe does not answer, or refuses, or the customer's events are being processed, the sum stays unknown, and the
    email names none. Usually there are no such gifts, and Stripe is not asked. Idempotent.
    """
    asked = 0
    for kind in ANNOUNCING:
        if kind.candidates(today).filter(is_sum_sure=False).exists():
            for row in kind.due(today).filter(is_sum_sure=False).iterator(500):
                store(row)
                asked += 1
    return asked


def store(row: Subscription) -> None:
    """Store what the next payment of a gift takes; None if Stripe does not say it, or while its customer is locked."""
    with locks.taken([row.stripe_customer_id], PATIENCE_SECONDS) as taken:
        Subscription.objects.filter(pk=row.pk).update(next_amount=_next_amount(row) if taken else None)


def _next_amount(row: Subscription) -> int | None:
    """Return the sum in minor units of the gift's currency; None if Stripe does not say it."""
    try:
        with key_faults.noted("previews"):
            amount, currency = budget.read(partial(client.preview, row.stripe_subscription_id))
    except (StripeUnavailable, StripeRefused) as error:
        log.warning("no preview of subscription %s: %s", row.pk, type(error).__name__)
        return None
    return amount if currency == row.currency else None
