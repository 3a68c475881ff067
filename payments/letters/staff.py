"""Good news for staff, to the addresses in STAFF_GIFT_EMAILS: new patrons once an hour, a large gift immediately.

No email names a supporter, because names are sensitive; it links to the desk. Called by the daily jobs and by books/.
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
from members.newsroom import values as newsroom
from payments import money
from payments.currencies import TABLE
from payments.models import Frequency, Payment, Subscription

NEW_PATRONS, LARGE_GIFT = "staff_new_patron", "staff_large_gift"
# An email lists this many gifts and counts the others.
LISTED = 20
# How far back the first email looks.
FIRST_LOOK = timedelta(days=1)


def new_patrons() -> list[Message]:
    """Queue an email to each staff address about recurring gifts not reported yet; return the new messages.

    [] without new gifts or without STAFF_GIFT_EMAILS. The first email covers the last 24 hours. Idempotent: the key
    holds the id of the last gift reported before.
    """
    if not newsroom.lines("STAFF_GIFT_EMAILS"):
        return []
    until = Cast(KeyTextTransform("until", "context"), BigIntegerField())
    # The largest of all, because an older email may have been sent again.
    reported_until = Message.objects.filter(kind=NEW_PATRONS).aggregate(last=Max(until))["last"] or 0
    begun = Subscription.objects.filter(pk__gt=reported_until) if reported_until else _of_the_last_day()
    rows = list(begun.select_related("campaign").order_by("pk"))
    return outbox.enqueue(_to_staff(NEW_PATRONS, str(reported_until), new_patron_facts(rows))) if rows else []


def new_patron_facts(rows: list[Subscription]) -> dict[str, Any]:
    """Return the facts of the email about these gifts, at least one. `until` is the id of the last one."""
    gifts = [
        {
            "amount": row.amount,
            "currency": row.currency,
            "frequency": row.rhythm,
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


def note_large_gift(payment: Payment) -> None:
    """Queue an email about a received gift if it is large. Once per payment, in the transaction of its receipt."""
    if newsroom.lines("STAFF_GIFT_EMAILS") and is_large(payment):
        outbox.enqueue(_to_staff(LARGE_GIFT, str(payment.public_id), large_gift_facts(payment)))


def is_large(payment: Payment) -> bool:
    """Return whether a payment is at least the largest yearly amount that our form suggests, such as 500 euros.

    Never for a currency that is not in the table.
    """
    known = TABLE.get(payment.currency)
    suggested = known.suggestion(Frequency.YEAR).amounts[-1] if known else None
    return suggested is not None and payment.amount >= money.from_major(suggested, payment.currency)


def large_gift_facts(payment: Payment) -> dict[str, Any]:
    """Return the facts of the email about a large gift; the amount is in minor units."""
    return {
        "amount": payment.amount,
        "currency": payment.currency,
        "frequency": payment.rhythm,
        "campaign": payment.campaign.title if payment.campaign else "",
        "desk_url": _desk("admin:members_supporter_change", payment.supporter_id),
    }


def drafts(kind: str, subject: str, facts: dict[str, Any], addresses: list[str], language: str) -> list[Message]:
    """Draft the same email for each of these addresses of staff. The key is `<kind>:<subject>:<number>`."""
    return [
        outbox.draft(
            kind, key=f"{kind}:{subject}:{number}", to_email=address, language=language, context=facts, supporter=None
        )
        for number, address in enumerate(addresses)
    ]


def _to_staff(kind: str, subject: str, facts: dict[str, Any]) -> list[Message]:
    return drafts(kind, subject, facts, newsroom.lines("STAFF_GIFT_EMAILS"), settings.LANGUAGE_CODE)


def _of_the_last_day() -> QuerySet[Subscription]:
    return Subscription.objects.filter(started_at__gte=clock.now() - FIRST_LOOK)


def _desk(name: str, *args: object) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=args)}"
