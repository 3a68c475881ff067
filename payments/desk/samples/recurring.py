"""The samples of emails about a recurring gift: its dates, its changes and its end. Part of catalogue.py."""

from __future__ import annotations

from copy import copy
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from members import clock
from members.models import Message
from payments.desk.samples.rows import Giver, paused, renewal, stopping, subscription
from payments.desk.samples.sample import USUAL, Sample, Variant, always
from payments.letters import calendar as calendar_letters
from payments.letters import changes as change_letters
from payments.letters import endings, reminders
from payments.models import Subscription


def _one_of_two_stopped(who: Giver) -> Message | None:
    subscription(who, "year")
    ending = stopping(who)
    renewal(ending, status="processing", paid_at=None)
    return endings.cancelled(ending, None)


def _ended(who: Giver) -> Subscription:
    return subscription(who, renews_on=clock.today(), status="canceled", ended_at=clock.now())


def _full_year(who: Giver, frequency: str = "month") -> Subscription:
    """Return a gift that completes a year today, with the figures that the daily query adds to it."""
    row, times = subscription(who, frequency, started_at=clock.now() - timedelta(days=366)), 12
    for name, value in {"years": 1, "times": times, "given": times * row.amount}.items():
        setattr(row, name, value)
    return row


def _renewing(who: Giver, problem: str = "") -> Message:
    renews_on = clock.today() + timedelta(days=30)
    return reminders.renewal_upcoming_year(subscription(who, "year", renews_on=renews_on, method_problem=problem), 30)


def _with_another_amount(row: Subscription, before: int) -> Message | None:
    """Build the email about a changed amount; `before` is the earlier one, in minor units."""
    was = copy(row)
    was.amount = before
    return change_letters.plan_changed(row, was)


def _less(row: Subscription) -> Message | None:
    return _with_another_amount(row, row.amount * 10)


def _more(row: Subscription) -> Message | None:
    return _with_another_amount(row, row.amount // 2)


RECURRING: dict[str, Sample] = {
    "renewal_upcoming_year": Sample(
        _("30 and 7 days before a yearly gift renews."),
        {
            "usual": Variant(USUAL, _renewing),
            "lacks_method": Variant(_("The bank ended the debits"), lambda who: _renewing(who, "mandate_inactive")),
        },
    ),
    "renewal_upcoming_month": always(
        _("Three days before each monthly payment, to those who asked for it."),
        lambda who: calendar_letters.renewal_upcoming_month(
            subscription(who, renews_on=clock.today() + timedelta(days=3))
        ),
    ),
    "monthly_reminder": always(
        _("Once a year, thirty days before another year of a monthly gift is full, or after a pause over that time."),
        lambda who: calendar_letters.monthly_reminder(_full_year(who)),
    ),
    "anniversary": Sample(
        _("Two days after another year of a recurring gift is full, to those who want it."),
        {
            "month": Variant(_("Monthly"), lambda who: calendar_letters.anniversary(_full_year(who))),
            "year": Variant(_("Yearly"), lambda who: calendar_letters.anniversary(_full_year(who, "year"))),
        },
    ),
    "cancelled": Sample(
        _("At once, when a gift was stopped."),
        {
            "alone": Variant(_("The only one"), lambda who: endings.cancelled(stopping(who), None)),
            "beside": Variant(_("Beside another, a debit under way"), _one_of_two_stopped),
        },
    ),
    "ended": always(_("When the time that was paid for is over after a stop."), lambda who: endings.ended(_ended(who))),
    "paused": Sample(
        _("When a gift was paused."),
        {
            "ends": Variant(_("Until a day"), lambda who: change_letters.paused(paused(who))),
            "open": Variant(_("Without an end"), lambda who: change_letters.paused(paused(who, resumes_at=None))),
        },
    ),
    "resume_soon": always(_("Five days before a pause ends."), lambda who: change_letters.resume_soon(paused(who))),
    "resumed": always(
        _("When a stop or a pause was taken back."), lambda who: change_letters.resumed(subscription(who))
    ),
    "plan_changed": Sample(
        _("When a recurring gift has a lower amount."),
        {
            "usual": Variant(USUAL, lambda who: _less(subscription(who))),
            "paused": Variant(_("Paused"), lambda who: _less(paused(who))),
        },
    ),
    "thanks_upgrade": Sample(
        _("When a recurring gift has a higher amount."),
        {
            "usual": Variant(USUAL, lambda who: _more(subscription(who))),
            "paused": Variant(_("Paused"), lambda who: _more(paused(who))),
        },
    ),
}
