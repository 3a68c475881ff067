"""Emails about a recurring gift that is set to stop or has ended.

Queued by recurring/subscriptions.py in the transaction of their cause. Each returns the new message, or None if it
exists already.
"""

from __future__ import annotations

from datetime import date

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce

from members import clock
from members.models import Message
from payments.accounts import under_way
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


def cancelled(
    subscription: Subscription, change: SubscriptionChange | None, *, last_on: date | None = None
) -> Message | None:
    """Queue the email that a gift is set to stop, or was stopped immediately; return None if it is queued already.

    Once per `change`, or, for a stop made at Stripe, once per subscription and day. It also mentions another gift of
    the supporter that continues, and payments of this one that are under way. If the gift ends in the period that has
    just begun, as was agreed earlier, `last_on` is the day of its last payment. While time is left, it offers to undo
    the stop, because a new gift would come on top.
    """
    facts = {**gift(subscription), **patron_until(subscription), "is_beside_another": subscription.has_another_active}
    ends_on, language = subscription.ends_on, subscription.supporter.language
    if last_on and ends_on:
        facts |= {"last_on": last_on.isoformat(), "ends_on": ends_on.isoformat()}
    else:
        facts["under_way"] = under_way.facts(subscription)
    if subscription.is_stopping and ends_on and ends_on > clock.today():
        facts |= {"undo_until_on": ends_on.isoformat(), "stop_url": stop_url(subscription, language)}
    facts["support_url"] = address("/support/", language)
    stopped_on = day(subscription.canceled_at or clock.now())
    subject = change.public_id if change else f"{subscription.public_id}:{stopped_on}"
    return send("cancelled", subject, subscription, facts)


def ended(subscription: Subscription) -> Message | None:
    """Queue the email that a stopped gift has ended, together with the time paid for. Once per subscription."""
    return send("ended", subscription.public_id, subscription, _end(subscription))


def ended_unpaid(subscription: Subscription) -> Message | None:
    """Queue the email that a gift ended because its payments failed: no debt, and thanks. Once per subscription.

    It names the number of payments kept and their sum, in minor units of the gift's currency.
    """
    received = subscription.payments.filter(status=Payment.Status.SUCCEEDED, currency=subscription.currency)
    kept = received.annotate(kept=KEPT).filter(kept__gt=0)
    so_far = kept.aggregate(times=Count("pk"), given=Coalesce(Sum("kept"), 0))
    return send("ended_unpaid", subscription.public_id, subscription, {**_end(subscription), **so_far})


def ended_by_itself(subscription: Subscription, *, is_by_bank: bool) -> Message | None:
    """Queue the email that a gift ended without anybody asking for it. Once per subscription.

    `is_by_bank`: because a bank took a payment back. It never says that the supporter stopped.
    """
    facts = {**_end(subscription), "is_by_itself": True, "is_by_bank": is_by_bank}
    return send("ended", subscription.public_id, subscription, facts)


def _end(subscription: Subscription) -> Facts:
    """Return the facts about an end, and the payments that may still be taken: drafts, and what is with the bank."""
    return {
        **gift(subscription),
        "under_way": under_way.facts(subscription),
        "ended_on": day(subscription.ended_at or clock.now()),
        "again_url": again_url(subscription, subscription.supporter.language),
    }
