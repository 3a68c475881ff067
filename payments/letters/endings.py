"""Letters about a recurring gift that stops or is over, queued inside the transaction of their cause."""

from __future__ import annotations

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce

from members import clock
from members.models import Message
from payments.letters.drafts import (
    Facts,
    address,
    again_url,
    day,
    gift,
    patron_until,
    send,
    stop_url,
)
from payments.models import KEPT, Payment, Subscription, SubscriptionChange


def cancelled(subscription: Subscription, change: SubscriptionChange | None) -> Message | None:
    """Nothing more will be charged. Once a request to stop; for a stop made at Stripe, once a day of it.

    What goes on is said too: another gift of theirs, and a debit of this one that the bank has in hand. While the time
    that was paid for lasts, the way back is taking the stop back, not a new gift on top.
    """
    facts = {**gift(subscription), **patron_until(subscription), "is_beside_another": subscription.is_beside_another}
    with_bank = subscription.payments.filter(status=Payment.Status.PROCESSING).order_by("pk").last()
    if with_bank:
        facts["amount_with_bank"] = with_bank.amount
    language = subscription.supporter.language
    if subscription.is_stopping and subscription.renews_on > clock.today():
        facts |= {"undo_until_on": subscription.renews_on.isoformat(), "stop_url": stop_url(subscription, language)}
    facts["support_url"] = address("/support/", language)
    stopped_on = day(subscription.canceled_at or clock.now())
    subject = change.public_id if change else f"{subscription.public_id}:{stopped_on}"
    return send("cancelled", subject, subscription, facts)


def ended(subscription: Subscription) -> Message | None:
    """A subscription that was stopped is over, and so is the time that was paid for. Once a subscription."""
    return send("ended", subscription.public_id, subscription, _end(subscription))


def ended_unpaid(subscription: Subscription) -> Message | None:
    """A subscription is over because its payments failed: no debt, and thanks for all of it. Once a subscription."""
    received = subscription.payments.filter(status=Payment.Status.SUCCEEDED, currency=subscription.currency)
    kept = received.annotate(kept=KEPT).filter(kept__gt=0)
    so_far = kept.aggregate(times=Count("pk"), given=Coalesce(Sum("kept"), 0))
    return send("ended_unpaid", subscription.public_id, subscription, {**_end(subscription), **so_far})


def _end(subscription: Subscription) -> Facts:
    return {
        **gift(subscription),
        "ended_on": day(subscription.ended_at or clock.now()),
        "again_url": again_url(subscription, subscription.supporter.language),
    }
