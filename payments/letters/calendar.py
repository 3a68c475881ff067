"""Emails to supporters with a recurring gift that are due on a date: a yearly reminder of a monthly gift, thanks for a
full year, and, for supporters who asked for it, an email three days before each monthly payment.

A year is full on the date on which the gift began; a gift that began on 29 February, on 1 March of other years. Queued
by the daily jobs through due.py.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import (
    BigIntegerField,
    Count,
    DateField,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Cast, Coalesce, TruncDate

from members import clock
from members.mail import choices
from members.models import Message
from payments.accounts.account import Account, State
from payments.letters import drafts
from payments.letters.due import DueLetter, by_account, key_of, unless_sent
from payments.models import KEPT, Frequency, Payment, Subscription

REMINDER, ANNIVERSARY, UPCOMING = "monthly_reminder", "anniversary", "renewal_upcoming_month"
PAUSED = "paused"  # the kind of the email that every pause causes
BEFORE = 30  # the reminder is due this many days before a year is full
# Days after a full year within which a reminder still goes out that a pause delayed: three months of pause, and a few
# days until the gift is paid again.
HELD_BACK = 100
# Days after a full year on which the thanks are due: not next to the email about a payment of the day itself, and not
# too late.
FIRST = 2
LAST = 14
DAYS_BEFORE_A_PAYMENT = 3


def monthly_reminder(account: Account) -> Message | None:
    """Build the yearly reminder of a monthly gift, without queueing it: the sum so far, and how to stop.

    The gift's row has `years`, `times` and `given` (see `_with_sums`). Its key names the full year, so that it is
    queued once. The words are true before and after the day of the full year. None if no payment is to come.
    """
    row = account.subscription
    if account.next_on is None:
        return None
    facts = {**_so_far(account), **drafts.varies(row), "renews_on": account.next_on.isoformat(), "stop_url": _stop(row)}
    return drafts.draft(REMINDER, f"{row.public_id}:{_years(row)}", row, facts)


def anniversary(account: Account) -> Message | None:
    """Build the thanks for one or more full years, without queueing it; the row as for `monthly_reminder`.

    Its key names the full year, so that it is queued once. None for a gift that ends or has ended.
    """
    row = account.subscription
    if account.state in (State.ENDED, State.ENDING):
        return None
    return drafts.draft(ANNIVERSARY, f"{row.public_id}:{_years(row)}", row, {**_so_far(account), "years": _years(row)})


def renewal_upcoming_month(account: Account) -> Message | None:
    """Build the email before a monthly payment, without queueing it; None if that payment is not to come.

    Its key names subscription and day, so that it is queued once.
    """
    row = account.subscription
    if account.next_on != row.renews_on:
        return None
    facts = {**drafts.gift_of(account), **drafts.next_sum(account), "renews_on": row.renews_on.isoformat()}
    return drafts.draft(UPCOMING, f"{row.public_id}:{row.renews_on}", row, {**facts, "stop_url": _stop(row)})


def _reminders_due(today: date) -> QuerySet[Subscription]:
    """Return monthly gifts with a full year in the next 30 days, or, if they were ever paused, in the last 100 days.

    Left out are gifts that are paused now, cannot be charged, or have a reminder of that year. Gifts that were never
    paused are not looked for in the past: an installation that starts to send these emails would send a hundred days'
    worth on its first day, to people whose next reminder is due within the year.
    """
    rows = _with_sums(_chargeable_with_a_full_year(today))
    paused = Message.objects.filter(
        supporter=OuterRef("supporter"), kind=PAUSED, key__startswith=OuterRef("paused_key")
    )
    rows = rows.annotate(paused_key=key_of(Value(PAUSED), "public_id")).filter(Q(full_on__gt=today) | Exists(paused))
    return unless_sent(rows, Value(REMINDER), "public_id", "years")


def _chargeable_with_a_full_year(today: date) -> QuerySet[Subscription]:
    """Return monthly gifts with a full year in the next 30 days or the last 100: longer ago no pause holds it back."""
    first, last = today - timedelta(days=HELD_BACK), today + timedelta(days=BEFORE)
    return _full_years(_chargeable().filter(frequency=Frequency.MONTH), first, last)


def _continuing_with_a_full_year(today: date) -> QuerySet[Subscription]:
    full = (today - timedelta(days=LAST), today - timedelta(days=FIRST))
    return _full_years(_continuing().filter(choices.wants(ANNIVERSARY)), *full)


def _anniversaries_due(today: date) -> QuerySet[Subscription]:
    """Return gifts with a full year two days to two weeks ago whose supporter wants this email.

    Left out are gifts of which every payment was refunded or taken back.
    """
    rows = _with_sums(_continuing_with_a_full_year(today)).filter(Q(times__gt=0))
    return unless_sent(rows, Value(ANNIVERSARY), "public_id", "years")


def _chargeable_in_days(today: date) -> QuerySet[Subscription]:
    """Return monthly gifts whose next payment is in one to three days and whose supporter asked for this email."""
    soon = (today + timedelta(days=1), today + timedelta(days=DAYS_BEFORE_A_PAYMENT))
    return _chargeable().filter(choices.wants(UPCOMING), frequency=Frequency.MONTH, renews_on__range=soon)


def _payments_due(today: date) -> QuerySet[Subscription]:
    return unless_sent(_chargeable_in_days(today), Value(UPCOMING), "public_id", "renews_on")


def _continuing() -> QuerySet[Subscription]:
    return Subscription.objects.continuing().select_related("supporter", "checkout").order_by("pk")


def _chargeable() -> QuerySet[Subscription]:
    """Return continuing gifts that Stripe takes and can take: we do not announce another payment."""
    return _continuing().filter(method_problem="", is_collected=True)


def _full_years(rows: QuerySet[Subscription], first: date, last: date) -> QuerySet[Subscription]:
    """Return the rows with a full year between `first` and `last`, both included: its day as `full_on`, its number as
    `years`.
    """
    began = TruncDate("started_at")
    full_years = Func(
        Value(last, DateField()),
        began,
        template="extract(year FROM age(%(expressions)s))::int",
        output_field=IntegerField(),
    )
    later = Func(F("years"), template="make_interval(years => %(expressions)s)", output_field=DurationField())
    return rows.annotate(
        years=full_years,
        full_on=Cast(ExpressionWrapper(began + later, DateTimeField()), DateField()),
    ).filter(years__gte=1, full_on__gte=first)


def _with_sums(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Return the rows with two columns added.

    `times` counts the payments that were not fully refunded or taken back, and `given` is their sum less refunds and
    disputes, in minor units of the gift's currency.
    """
    paid = (
        Payment.objects.filter(
            subscription=OuterRef("pk"),
            status=Payment.Status.SUCCEEDED,
            currency=OuterRef("currency"),
            amount__gt=F("refunded_amount") + F("disputed_amount"),
        )
        .order_by()
        .values("subscription")
    )
    return rows.annotate(
        times=Coalesce(Subquery(paid.annotate(n=Count("pk")).values("n")), 0),
        given=Coalesce(Subquery(paid.annotate(n=Sum(KEPT)).values("n")), 0, output_field=BigIntegerField()),
    )


def _so_far(account: Account) -> drafts.Facts:
    row = account.subscription
    so_far = {"times": getattr(row, "times", 0), "given": getattr(row, "given", 0)}
    return {**drafts.gift_of(account), **so_far, "agreed_on": str(clock.day_of(row.started_at))}


def _years(row: Subscription) -> int:
    return int(getattr(row, "years", 0))


def _stop(row: Subscription) -> str:
    return drafts.stop_url(row, row.supporter.language)


YEARLY_REMINDER = DueLetter(
    REMINDER,
    _chargeable_with_a_full_year,
    _reminders_due,
    by_account(lambda account, _today: monthly_reminder(account)),
)
FULL_YEAR = DueLetter(
    ANNIVERSARY,
    _continuing_with_a_full_year,
    _anniversaries_due,
    by_account(lambda account, _today: anniversary(account)),
)
NEXT_MONTH = DueLetter(
    UPCOMING,
    _chargeable_in_days,
    _payments_due,
    by_account(lambda account, _today: renewal_upcoming_month(account)),
)
