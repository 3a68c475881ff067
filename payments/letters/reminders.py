"""Reminders of yearly renewals: 30 and 7 days before, late rather than never.

The letter is payments/letters/gifts.py's, the date the business clock's. Nothing here asks Stripe.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta

from django.db.models import Case as SqlCase
from django.db.models import Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import TruncDate

from members.links import signed
from members.models import Message
from payments import cases
from payments.letters import drafts
from payments.letters.due import DueLetter, key_of, unless_sent
from payments.models import Case, Frequency, Subscription

log = logging.getLogger("hromada.reminders")

FIRST, LAST = 30, 7
LATE_FROM = 20  # card rules want the notice 7 to 30 days ahead; with 20 left somebody has time to look into it
KIND = "renewal_upcoming_year"
TAKEN_BACK = ("resumed", "paused")  # letters that tell that a stop or a pause was; a stop during a pause, the second
_KEY = (Value(KIND), "public_id", "renews_on")


def candidates(today: date) -> QuerySet[Subscription]:
    """Return yearly gifts that renew within 30 days and are not stopping."""
    soon = Subscription.objects.renewing_by(today + timedelta(days=FIRST))
    return soon.filter(frequency=Frequency.YEAR, renews_on__gt=today)


def due(today: date) -> QuerySet[Subscription]:
    """Return those that do not rest on that day. In the last week the last reminder is due, with or without a first."""
    rows = (
        candidates(today)
        .annotate(resumes_on=TruncDate("resumes_at"))
        .filter(Q(collection_paused=False) | Q(resumes_on__lte=F("renews_on")))
        .annotate(
            days_before=SqlCase(
                When(renews_on__lte=today + timedelta(days=LAST), then=LAST),
                default=FIRST,
                output_field=IntegerField(),
            )
        )
        .select_related("supporter", "checkout")
        .order_by("renews_on", "pk")
    )
    first = Message.objects.filter(key=OuterRef("first_key"))
    rows = rows.annotate(first_key=key_of(*_KEY, Value(FIRST))).annotate(had_first=Exists(first))
    return unless_sent(rows, *_KEY, "days_before")


def draft(subscription: Subscription, today: date) -> Message:
    return renewal_upcoming_year(subscription, LAST if _days_left(subscription, today) <= LAST else FIRST)


def tell_if_late(subscription: Subscription, today: date) -> None:
    """Staff are told of a first reminder that came when it should have been out for ten days. One of a gift that rested
    or was to stop until a few days ago could not have come before.
    """
    days_left = _days_left(subscription, today)
    if days_left >= LATE_FROM or getattr(subscription, "had_first", False) or _resumed_lately(subscription, today):
        return
    renews_on = subscription.renews_on.isoformat()
    facts = {"subscription": subscription.pk, "renews_on": renews_on, "days_left": days_left}
    key = f"reminder_late:{subscription.public_id}:{renews_on}"
    cases.open_case(Case.Kind.REMINDER_LATE, key, subscription.supporter, facts)
    log.error("renewal reminder of subscription %s is late: %s days left", subscription.pk, days_left)


def _resumed_lately(subscription: Subscription, today: date) -> bool:
    """By the letter about it, which every pause or stop that was taken back has."""
    since = today - timedelta(days=FIRST - LATE_FROM)
    told = Message.objects.filter(supporter=subscription.supporter_id, kind__in=TAKEN_BACK, created_at__date__gte=since)
    return told.filter(key__contains=f":{subscription.public_id}:").exists()


def _days_left(subscription: Subscription, today: date) -> int:
    return (subscription.renews_on - today).days


YEARLY = DueLetter(KIND, candidates, due, draft, tell_if_late)


def renewal_upcoming_year(subscription: Subscription, days_before: int) -> Message:
    """A yearly gift renews soon, or would if it could be charged. Once a subscription, renewal date and `days_before`
    (30 or 7). A draft.
    """
    facts, language = drafts.gift(subscription), subscription.supporter.language
    facts |= {
        "renews_on": subscription.renews_on.isoformat(),
        "agreed_on": drafts.day(subscription.started_at),
        "stop_url": drafts.stop_url(subscription, language),
    }
    if subscription.method_problem:
        facts |= {"lacks_method": True, "method_url": signed.url("method", str(subscription.public_id), language)}
    subject = f"{subscription.public_id}:{subscription.renews_on.isoformat()}:{days_before}"
    return drafts.draft("renewal_upcoming_year", subject, subscription, facts)
