"""Good news for staff, to STAFF_GIFT_EMAILS: new patrons once an hour, a large gift at once. Nobody there: no letter.

No letter names a supporter: names are sensitive and stay at the desk, which the letter leads to.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, Max, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.urls import reverse

from members import clock
from members.mail import outbox
from members.models import Message
from payments import money
from payments.currencies import TABLE
from payments.models import Frequency, Payment, Subscription

NEW_PATRONS, LARGE_GIFT = "staff_new_patron", "staff_large_gift"
# More in one letter are counted, not listed.
LISTED = 20
# How far back the first letter looks.
FIRST_LOOK = timedelta(days=1)


def new_patrons() -> list[Message]:
    """Tell of the recurring gifts that began since the last letter. Keyed by where that one ended: once each."""
    if not settings.STAFF_GIFT_EMAILS:
        return []
    until = Cast(KeyTextTransform("until", "context"), BigIntegerField())  # of any: one may have been sent again
    told_until = Message.objects.filter(kind=NEW_PATRONS).aggregate(last=Max(until))["last"] or 0
    begun = Subscription.objects.filter(pk__gt=told_until) if told_until else _of_the_last_day()
    rows = list(begun.select_related("campaign").order_by("pk"))
    return outbox.owe(_to_staff(NEW_PATRONS, str(told_until), new_patron_facts(rows))) if rows else []


def new_patron_facts(rows: list[Subscription]) -> dict[str, Any]:
    """What the letter says: each gift with the campaign it came through. `until` is the last one's row."""
    gifts = [
        {
            "amount": row.amount,
            "currency": row.currency,
            "frequency": row.frequency,
            "campaign": row.campaign.title if row.campaign else "",
        }
        for row in rows[:LISTED]
    ]
    desk_url = _desk("admin:payments_subscription_changelist")
    return {
        "gifts": gifts,
        "number": len(rows),
        "more": len(rows) - len(gifts),
        "until": rows[-1].pk,
        "desk_url": desk_url,
    }


def look_at(payment: Payment) -> None:
    """Tell of a gift that has arrived when it is a large one. Once a payment, in the transaction of its receipt."""
    if settings.STAFF_GIFT_EMAILS and is_large(payment):
        outbox.owe(_to_staff(LARGE_GIFT, str(payment.public_id), large_gift_facts(payment)))


def is_large(payment: Payment) -> bool:
    """At least the largest sum that our form suggests for a year in its currency, such as 500 euros."""
    known = TABLE.get(payment.currency)
    suggested = known.suggestion(Frequency.YEAR).amounts[-1] if known else None
    return suggested is not None and payment.amount >= money.from_major(suggested, payment.currency)


def large_gift_facts(payment: Payment) -> dict[str, Any]:
    return {
        "amount": payment.amount,
        "currency": payment.currency,
        "frequency": payment.frequency,
        "campaign": payment.campaign.title if payment.campaign else "",
        "desk_url": _desk("admin:members_supporter_change", payment.supporter_id),
    }


def drafts(kind: str, subject: str, facts: dict[str, Any], addresses: list[str], language: str) -> list[Message]:
    return [
        outbox.draft(
            kind, key=f"{kind}:{subject}:{number}", to_email=address, language=language, context=facts, supporter=None
        )
        for number, address in enumerate(addresses)
    ]


def _to_staff(kind: str, subject: str, facts: dict[str, Any]) -> list[Message]:
    return drafts(kind, subject, facts, settings.STAFF_GIFT_EMAILS, settings.LANGUAGE_CODE)


def _of_the_last_day() -> QuerySet[Subscription]:
    return Subscription.objects.filter(started_at__gte=clock.now() - FIRST_LOOK)


def _desk(name: str, *args: object) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=args)}"
