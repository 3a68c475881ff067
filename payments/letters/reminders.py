"""Reminders of yearly renewals, 30 and 7 days before the payment; a missed one goes out late.

Queued by the daily jobs through due.py. Dates come from the business clock and our rows; Stripe is not called.
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
from payments.accounts.account import Account
from payments.letters import drafts
from payments.letters.due import DueLetter, by_account, key_of, unless_sent
from payments.models import Case, Frequency, Subscription

log = logging.getLogger("hromada.reminders")

# Days before the renewal. Card networks require the notice 7 to 30 days ahead.
FIRST = 30
LAST = 7
LATE_FROM = 20  # with fewer days left a first reminder is late; staff still have time to find out why
KIND = "renewal_upcoming_year"
# Emails sent when a stop or a pause is undone: "paused" if the stop of a paused gift is.
STOP_OR_PAUSE_UNDONE = ("resumed", "paused")
_KEY = (Value(KIND), "public_id", "renews_on")


def candidates(today: date) -> QuerySet[Subscription]:
    """Return yearly gifts that renew within 30 days and are not stopping."""
    soon = Subscription.objects.renewing_by(today + timedelta(days=FIRST))
    return soon.filter(frequency=Frequency.YEAR, renews_on__gt=today)


def due(today: date) -> QuerySet[Subscription]:
    """Return the candidates that are not paused on the day they renew, with two columns.

    `days_before` is the reminder that is due: 7 in the last week, even without a first reminder, else 30. `had_first`:
    the reminder of 30 days exists.
    """
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


def draft(account: Account, today: date) -> Message | None:
    """Draft the reminder that is due today: the second in the last week before the renewal, else the first."""
    return renewal_upcoming_year(account, LAST if _days_left(account.subscription, today) <= LAST else FIRST)


def _report_if_late(subscription: Subscription, today: date) -> None:
    """Open a case and log an error if the first reminder of a renewal is more than ten days late. Idempotent.

    Not late is the reminder of a gift that was paused or set to stop until a few days ago: it could not go out before.
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
    """Return whether a stop or pause of the gift was undone in the last ten days, by the email that it causes."""
    since = today - timedelta(days=FIRST - LATE_FROM)
    emails = Message.objects.filter(
        supporter=subscription.supporter_id, kind__in=STOP_OR_PAUSE_UNDONE, created_at__date__gte=since
    )
    return emails.filter(key__contains=f":{subscription.public_id}:").exists()


def _days_left(subscription: Subscription, today: date) -> int:
    return (subscription.renews_on - today).days


YEARLY = DueLetter(KIND, candidates, due, by_account(draft), _report_if_late)


def renewal_upcoming_year(account: Account, days_before: int) -> Message | None:
    """Draft the reminder that a yearly gift renews soon, or cannot because its card or mandate is not usable.

    Once per subscription, renewal date and `days_before`, 30 or 7. None if no payment is to come on that date.
    """
    subscription = account.subscription
    if account.next_on != subscription.renews_on:
        return None
    language = subscription.supporter.language
    facts = drafts.gift_of(account) | drafts.next_sum(account)
    facts |= {
        "renews_on": subscription.renews_on.isoformat(),
        "agreed_on": drafts.day(subscription.started_at),
        "stop_url": drafts.stop_url(subscription, language),
    }
    if subscription.method_problem:
        facts |= {"lacks_method": True, "method_url": signed.url("method", str(subscription.public_id), language)}
    subject = f"{subscription.public_id}:{subscription.renews_on.isoformat()}:{days_before}"
    return drafts.draft(KIND, subject, subscription, facts)
