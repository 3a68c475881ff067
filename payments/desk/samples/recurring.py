"""The samples of emails about a recurring gift: its dates, its changes and its end. Part of catalogue.py."""

from __future__ import annotations

from copy import copy
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from members import clock
from members.models import Message
from payments.accounts import account as accounts
from payments.desk.samples.rows import Giver, new_id, paused, renewal, stopping, subscription
from payments.desk.samples.sample import USUAL, Sample, Variant, always
from payments.letters import calendar as calendar_letters
from payments.letters import changes as change_letters
from payments.letters import endings, reminders
from payments.models import Frequency, Subscription


def _one_of_two_stopped(who: Giver) -> Message | None:
    subscription(who, "year")
    ending = stopping(who)
    renewal(ending, status="processing", paid_at=None)
    return endings.cancelled(ending, None)


def _ends_as_agreed(who: Giver) -> Message | None:
    ends_at = clock.now() + timedelta(days=15)
    return endings.cancelled(subscription(who, cancel_at=ends_at), None, last_on=clock.today())


def _with_draft(row: Subscription) -> Subscription:
    """Return the gift with a payment that is taken within the hour, at its old amount."""
    due_at, amount = clock.now() + timedelta(hours=1), row.amount * 2
    row.unpaid_invoices.create(stripe_invoice_id=new_id("in"), amount=amount, currency=row.currency, due_at=due_at)
    return row


def _ended(who: Giver) -> Subscription:
    return subscription(who, renews_on=clock.today(), status="canceled", ended_at=clock.now())


def _full_year(who: Giver, frequency: str = "month") -> Subscription:
    """Return a gift that completes a year today, with the figures that the daily query adds to it."""
    row, times = subscription(who, frequency, started_at=clock.now() - timedelta(days=366)), 12
    for name, value in {"years": 1, "times": times, "given": times * row.amount}.items():
        setattr(row, name, value)
    return row


def _renewing(who: Giver, **values: Any) -> Message | None:
    renews_on = clock.today() + timedelta(days=30)
    return reminders.renewal_upcoming_year(accounts.of(subscription(who, "year", renews_on=renews_on, **values)), 30)


def _next_month(who: Giver, **values: Any) -> Message | None:
    row = subscription(who, renews_on=clock.today() + timedelta(days=3), **values)
    return calendar_letters.renewal_upcoming_month(accounts.of(row))


def _ended_by_bank(who: Giver) -> Message | None:
    return endings.ended_by_itself(_ended(who), is_by_bank=True)


def _ended_by_itself(who: Giver) -> Message | None:
    return endings.ended_by_itself(_ended(who), is_by_bank=False)


def _quarterly(who: Giver, **values: Any) -> Subscription:
    """Return a gift every three months, as staff can agree on one in Stripe's dashboard."""
    row = subscription(who, interval="month", interval_count=3, is_as_offered=False, **values)
    row.frequency = Frequency.OTHER
    return row


def _without_method(who: Giver) -> Message | None:
    return _renewing(who, method_problem="mandate_inactive")


def _with_discount(who: Giver) -> Message | None:
    return _renewing(who, is_sum_sure=False)


def _renewing_until(who: Giver) -> Message | None:
    renews_on, ends_at = clock.today() + timedelta(days=30), clock.now() + timedelta(days=800)
    row = subscription(who, "year", renews_on=renews_on, cancel_at=ends_at)
    return reminders.renewal_upcoming_year(accounts.of(row), 30)


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
            "ends": Variant(_("An end date was agreed"), _renewing_until),
            "lacks_method": Variant(_("The bank ended the debits"), _without_method),
            "sum_varies": Variant(_("A discount, credit or planned change"), _with_discount),
        },
    ),
    "renewal_upcoming_month": Sample(
        _("Three days before each monthly payment, to those who asked for it."),
        {
            "usual": Variant(USUAL, _next_month),
            "sum_varies": Variant(
                _("A discount, credit or planned change"), lambda who: _next_month(who, is_sum_sure=False)
            ),
        },
    ),
    "monthly_reminder": always(
        _("Once a year, thirty days before another year of a monthly gift is full, or after a pause over that time."),
        lambda who: calendar_letters.monthly_reminder(accounts.of(_full_year(who))),
    ),
    "anniversary": Sample(
        _("Two days after another year of a recurring gift is full, to those who want it."),
        {
            "month": Variant(_("Monthly"), lambda who: calendar_letters.anniversary(accounts.of(_full_year(who)))),
            "year": Variant(
                _("Yearly"), lambda who: calendar_letters.anniversary(accounts.of(_full_year(who, "year")))
            ),
        },
    ),
    "cancelled": Sample(
        _("At once, when a gift was stopped."),
        {
            "alone": Variant(_("The only one"), lambda who: endings.cancelled(stopping(who), None)),
            "beside": Variant(_("Beside another, a debit under way"), _one_of_two_stopped),
            "draft": Variant(_("A payment under way"), lambda who: endings.cancelled(_with_draft(stopping(who)), None)),
            "agreed": Variant(_("An end date comes near"), _ends_as_agreed),
        },
    ),
    "ended": Sample(
        _("When the time that was paid for is over after a stop, or a gift ended by itself."),
        {
            "usual": Variant(USUAL, lambda who: endings.ended(_ended(who))),
            "bank": Variant(_("A bank took a payment back"), _ended_by_bank),
            "itself": Variant(_("Stripe ended it"), _ended_by_itself),
        },
    ),
    "paused": Sample(
        _("When a gift was paused."),
        {
            "ends": Variant(_("Until a day"), lambda who: change_letters.paused(paused(who))),
            "open": Variant(_("Without an end"), lambda who: change_letters.paused(paused(who, resumes_at=None))),
            "draft": Variant(_("A payment under way"), lambda who: change_letters.paused(_with_draft(paused(who)))),
        },
    ),
    "resume_soon": Sample(
        _("Five days before a pause ends."),
        {
            "usual": Variant(USUAL, lambda who: change_letters.resume_soon(accounts.of(paused(who)))),
            "sum_varies": Variant(
                _("A discount, credit or planned change"),
                lambda who: change_letters.resume_soon(accounts.of(paused(who, is_sum_sure=False))),
            ),
        },
    ),
    "resumed": always(
        _("When a stop or a pause was taken back."), lambda who: change_letters.resumed(subscription(who))
    ),
    "plan_changed": Sample(
        _("When a recurring gift has a lower amount."),
        {
            "usual": Variant(USUAL, lambda who: _less(subscription(who))),
            "paused": Variant(_("Paused"), lambda who: _less(paused(who))),
            "rhythm": Variant(_("Every three months"), lambda who: _less(_quarterly(who))),
            "no_sum": Variant(_("Without a sum"), lambda who: _less(_quarterly(who, amount=0))),
            "draft": Variant(_("A payment under way"), lambda who: _less(_with_draft(subscription(who)))),
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
