"""Letters that the calendar owes to who gives again and again: a yearly reminder of a monthly gift, a word when a year
is full, and, for who asked for it, three days before each month's payment.

Years are full on the day on which the gift began; what began on 29 February, on 1 March of other years.
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
from payments.letters import drafts
from payments.letters.due import DueLetter, key_of, unless_sent
from payments.models import KEPT, Frequency, Payment, Subscription

REMINDER, ANNIVERSARY, UPCOMING = "monthly_reminder", "anniversary", "renewal_upcoming_month"
PAUSED = "paused"  # every pause is told of in a letter
BEFORE = 30  # days before a year is full on which the reminder is due
# Days after it until which one comes that a pause held back: our three months, and a while to be paid again.
HELD_BACK = 100
# Days after it on which a word is: not beside the receipt or the bad news of a payment of that day, and not too late.
FIRST, LAST = 2, 14
DAYS_BEFORE_A_PAYMENT = 3


def monthly_reminder(row: Subscription) -> Message:
    """Once a year, who gives monthly is reminded of it, of the sum so far and of how to stop. Once a full year; true
    before its day as well as after. A draft of a row with `years`, `times` and `given` from `_with_what_was_given`.
    """
    facts = {**_so_far(row), "renews_on": row.renews_on.isoformat(), "stop_url": _stop(row)}
    return drafts.draft(REMINDER, f"{row.public_id}:{_years(row)}", row, facts)


def anniversary(row: Subscription) -> Message:
    """A year with the newsroom, or several. Once a full year. A draft of a row like the one above."""
    return drafts.draft(ANNIVERSARY, f"{row.public_id}:{_years(row)}", row, {**_so_far(row), "years": _years(row)})


def renewal_upcoming_month(row: Subscription) -> Message:
    """A month's payment comes in some days. Once a subscription and day of payment. A draft."""
    facts = {**drafts.gift(row), "renews_on": row.renews_on.isoformat(), "stop_url": _stop(row)}
    return drafts.draft(UPCOMING, f"{row.public_id}:{row.renews_on.isoformat()}", row, facts)


def _reminders_due(today: date) -> QuerySet[Subscription]:
    """Monthly gifts of which a year will be full within thirty days; and those of which one has become full while they
    were paused, when they go on.

    Only those are looked back for. An installation that never sent these letters would send a hundred days' worth on
    its first day, to people whose next one is due within the year.
    """
    rows = _with_what_was_given(_charged_with_a_full_year(today))
    paused = Message.objects.filter(
        supporter=OuterRef("supporter"), kind=PAUSED, key__startswith=OuterRef("paused_key")
    )
    rows = rows.annotate(paused_key=key_of(Value(PAUSED), "public_id")).filter(Q(full_on__gt=today) | Exists(paused))
    return unless_sent(rows, Value(REMINDER), "public_id", "years")


def _charged_with_a_full_year(today: date) -> QuerySet[Subscription]:
    """Return monthly gifts of which a year is full within thirty days, or was as long ago as a pause may hold back."""
    first, last = today - timedelta(days=HELD_BACK), today + timedelta(days=BEFORE)
    return _full_years(_charged().filter(frequency=Frequency.MONTH), first, last)


def _going_with_a_full_year(today: date) -> QuerySet[Subscription]:
    full = (today - timedelta(days=LAST), today - timedelta(days=FIRST))
    return _full_years(_going().filter(choices.wants(ANNIVERSARY)), *full)


def _anniversaries_due(today: date) -> QuerySet[Subscription]:
    """Gifts of which a year became full two days to two weeks ago, whose giver wants to hear of it. Not one of which
    everything went back.
    """
    rows = _with_what_was_given(_going_with_a_full_year(today)).filter(Q(times__gt=0))
    return unless_sent(rows, Value(ANNIVERSARY), "public_id", "years")


def _charged_in_days(today: date) -> QuerySet[Subscription]:
    """Return monthly gifts whose next payment is at most three days away, and whose giver asked to be told."""
    soon = (today + timedelta(days=1), today + timedelta(days=DAYS_BEFORE_A_PAYMENT))
    return _charged().filter(choices.wants(UPCOMING), frequency=Frequency.MONTH, renews_on__range=soon)


def _payments_due(today: date) -> QuerySet[Subscription]:
    return unless_sent(_charged_in_days(today), Value(UPCOMING), "public_id", "renews_on")


def _going() -> QuerySet[Subscription]:
    return Subscription.objects.continuing().select_related("supporter", "checkout").order_by("pk")


def _charged() -> QuerySet[Subscription]:
    """Nobody whose card or debit is gone is told of a payment to come."""
    return _going().filter(method_problem="")


def _full_years(rows: QuerySet[Subscription], first: date, last: date) -> QuerySet[Subscription]:
    """Return the gifts of which a year becomes full from the first to the last of these days, with `years` in all."""
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


def _with_what_was_given(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Return the gifts with what was given, `times` and `given` in minor units, less what went back; a payment that
    went back whole is no time.
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


def _so_far(row: Subscription) -> drafts.Facts:
    so_far = {"times": getattr(row, "times", 0), "given": getattr(row, "given", 0)}
    return {**drafts.gift(row), **so_far, "agreed_on": str(clock.day_of(row.started_at))}


def _years(row: Subscription) -> int:
    return int(getattr(row, "years", 0))


def _stop(row: Subscription) -> str:
    return drafts.stop_url(row, row.supporter.language)


YEARLY_REMINDER = DueLetter(
    REMINDER, _charged_with_a_full_year, _reminders_due, lambda row, _today: monthly_reminder(row)
)
FULL_YEAR = DueLetter(ANNIVERSARY, _going_with_a_full_year, _anniversaries_due, lambda row, _today: anniversary(row))
NEXT_MONTH = DueLetter(UPCOMING, _charged_in_days, _payments_due, lambda row, _today: renewal_upcoming_month(row))
