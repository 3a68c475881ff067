"""Missed renewals: the day has passed, and Stripe has reported neither a payment nor a failed one.

Called by the daily jobs. missed_events.py cannot find them: an event that Stripe never made is in no list of events.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from payments import cases
from payments.inbox import queue
from payments.models import Case, Payment, Subscription

log = logging.getLogger("hromada.daily")

# Stripe bills within hours of the day, and its events may take a while.
PATIENCE = timedelta(days=2)
# In another time zone an attempt to charge may be dated a little before the day.
BEFORE = timedelta(days=1)


def find(today: date) -> int:
    """Open a case for each missed renewal and queue a read of its subscription; return how many are new.

    A renewal is missed if its day is more than two days past, the subscription is live and neither paused nor stopping,
    and the period has no payment that was received, failed or is with the bank. Idempotent: one case per period.
    """
    new = 0
    for subscription in _missed(today).select_related("supporter").iterator(chunk_size=500):
        new += _open_case(subscription)
    return new


def _missed(today: date) -> QuerySet[Subscription]:
    for_period = Q(created_at__date__gte=OuterRef("renews_on") - BEFORE) | Q(paid_through__gt=OuterRef("renews_on"))
    payments = Payment.objects.filter(for_period, subscription=OuterRef("pk"))
    due = Subscription.objects.renewing_by(today - PATIENCE - timedelta(days=1))
    return due.filter(~Exists(payments), collection_paused=False).order_by("renews_on", "pk")


def _open_case(subscription: Subscription) -> bool:
    """Open the case of this period's renewal and queue a read; return False if the case exists already."""
    key = f"subscription:{subscription.pk}:renewal:{subscription.renews_on.isoformat()}"
    if Case.objects.filter(key=key).exists():
        return False
    facts = {"subscription": subscription.pk, "renews_on": subscription.renews_on.isoformat()}
    with transaction.atomic():
        cases.open_case(Case.Kind.RENEWAL_MISSED, key, subscription.supporter, facts)
        queue.request_sync("subscription", subscription.stripe_subscription_id, subscription.stripe_customer_id)
    log.error("renewal of subscription %s is missing: due on %s", subscription.pk, subscription.renews_on)
    return True
