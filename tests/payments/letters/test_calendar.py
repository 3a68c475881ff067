"""Emails due on a date: once per year or per payment, on their days, to supporters who want them and still give."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.mail import choices
from members.mail.rendering import render
from members.models import Message
from payments.letters import calendar as calendar_letters
from payments.letters import due as due_letters
from payments.models import Subscription
from tests import factories

BEGAN = date(2024, 3, 15)
FULL = date(2026, 3, 15)


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Give every test here the database."""


def gift(began: date = BEGAN, *, is_paid: bool = True, **values: Any) -> Subscription:
    row = factories.subscription(
        **{"started_at": datetime(began.year, began.month, began.day, 12, tzinfo=UTC), **values}
    )
    if is_paid:
        factories.payment(row.supporter, subscription=row, frequency=row.frequency)
    return row


def days_of(kind: due_letters.DueLetter[Any], full_years: list[date]) -> list[date]:
    """Return the days, from six weeks before each full year to three after, on which an email is queued.

    Also check that a second run on such a day queues no other.
    """
    found = []
    for full in full_years:
        for day in (full + timedelta(days=number) for number in range(-42, 21)):
            if due_letters.send(kind, day).queued:
                found.append(day)
                assert due_letters.send(kind, day).queued == 0
    return found


def years(began: date, *later: int) -> list[date]:
    return [date(year, began.month, min(began.day, 28)) for year in later]


def test_a_monthly_gift_is_reminded_of_thirty_days_before_each_full_year() -> None:
    gift()
    due = days_of(calendar_letters.YEARLY_REMINDER, years(BEGAN, 2024, 2025, 2026, 2027))
    assert due == [date(2025, 2, 13), date(2026, 2, 13), date(2027, 2, 13)]


def test_the_word_on_a_full_year_comes_two_days_after_it() -> None:
    gift()
    assert days_of(calendar_letters.FULL_YEAR, years(BEGAN, 2024, 2025, 2026)) == [date(2025, 3, 17), date(2026, 3, 17)]


def test_what_began_on_the_leap_day_is_full_on_the_first_of_march() -> None:
    gift(date(2024, 2, 29))
    due = days_of(calendar_letters.FULL_YEAR, years(date(2024, 2, 29), 2025, 2026, 2027, 2028))
    assert due == [date(2025, 3, 3), date(2026, 3, 3), date(2027, 3, 3), date(2028, 3, 2)]


@pytest.mark.parametrize(("days_late", "queued"), [(14, 1), (15, 0)])
def test_after_an_outage_the_word_comes_within_two_weeks_or_not_at_all(days_late: int, queued: int) -> None:
    gift()
    assert due_letters.send(calendar_letters.FULL_YEAR, FULL + timedelta(days=days_late)).queued == queued


@pytest.mark.parametrize(("day", "queued"), [(FULL - timedelta(days=1), 1), (FULL, 0)])
def test_a_reminder_comes_late_rather_than_never_and_not_after_the_day(day: date, queued: int) -> None:
    gift()
    assert due_letters.send(calendar_letters.YEARLY_REMINDER, day).queued == queued


def paused(row: Subscription) -> None:
    factories.message(row.supporter, kind="paused", key=f"paused:{row.public_id}:2026-02-01")


def test_after_a_pause_over_the_day_the_reminder_comes_when_the_gift_goes_on_and_once() -> None:
    row = gift(collection_paused=True)
    paused(row)
    assert days_of(calendar_letters.YEARLY_REMINDER, [FULL]) == []
    row.collection_paused = False
    row.save()
    late = FULL + timedelta(days=47)
    for day, queued in ((late, 1), (late, 0), (late + timedelta(days=1), 0)):
        assert due_letters.send(calendar_letters.YEARLY_REMINDER, day).queued == queued
    assert Message.objects.get(kind="monthly_reminder").key.endswith(f":{row.public_id}:2")
    assert days_of(calendar_letters.YEARLY_REMINDER, years(BEGAN, 2027)) == [date(2027, 2, 13)]


@pytest.mark.parametrize(("days_late", "queued"), [(100, 1), (101, 0)])
def test_one_that_a_pause_held_back_is_not_looked_for_for_ever(days_late: int, queued: int) -> None:
    paused(gift())
    assert due_letters.send(calendar_letters.YEARLY_REMINDER, FULL + timedelta(days=days_late)).queued == queued


def test_an_installation_that_begins_with_these_letters_sends_none_that_are_past() -> None:
    """Nor does the pause of one gift count for another one of the same supporter."""
    row = gift()
    paused(row)
    factories.subscription(row.supporter, started_at=row.started_at)
    for _number in range(3):
        gift()
    assert due_letters.send(calendar_letters.YEARLY_REMINDER, FULL + timedelta(days=5)).queued == 1
    assert Message.objects.get(kind="monthly_reminder").key.endswith(f":{row.public_id}:2")


@pytest.mark.parametrize(
    "values",
    [{"cancel_at_period_end": True}, {"collection_paused": True}, {"status": "past_due"}, {"status": "canceled"}],
)
def test_who_does_not_go_on_gets_none(values: dict[str, Any]) -> None:
    row = gift(**values, renews_on=FULL + timedelta(days=2))
    choices.choose(row.supporter, {"renewal_upcoming_month": True}, "page")
    for kind, day in (
        (calendar_letters.YEARLY_REMINDER, FULL - timedelta(days=30)),
        (calendar_letters.FULL_YEAR, FULL + timedelta(days=2)),
        (calendar_letters.NEXT_MONTH, FULL),
    ):
        assert due_letters.send(kind, day).due == 0, kind.name


@pytest.mark.parametrize("problem", ["detached", "mandate_inactive"])
def test_who_can_no_longer_be_charged_is_told_of_no_payment_and_has_the_word(problem: str) -> None:
    row = gift(method_problem=problem, renews_on=FULL + timedelta(days=2))
    choices.choose(row.supporter, {"renewal_upcoming_month": True}, "page")
    assert due_letters.send(calendar_letters.YEARLY_REMINDER, FULL - timedelta(days=30)).due == 0
    assert due_letters.send(calendar_letters.NEXT_MONTH, FULL).due == 0
    assert due_letters.send(calendar_letters.FULL_YEAR, FULL + timedelta(days=2)).queued == 1


def test_a_yearly_gift_has_its_own_reminders_and_its_word() -> None:
    gift(frequency="year")
    assert due_letters.send(calendar_letters.YEARLY_REMINDER, FULL - timedelta(days=30)).due == 0
    assert due_letters.send(calendar_letters.FULL_YEAR, FULL + timedelta(days=2)).queued == 1


def test_a_word_is_a_choice_and_an_announcement_is_for_those_who_asked() -> None:
    plain, willing = gift(renews_on=FULL + timedelta(days=3)), gift(renews_on=FULL + timedelta(days=3))
    choices.choose(willing.supporter, {"renewal_upcoming_month": True, "anniversary": False}, "page")
    due_letters.send(calendar_letters.FULL_YEAR, FULL + timedelta(days=2))
    due_letters.send(calendar_letters.NEXT_MONTH, FULL)
    queued = dict(Message.objects.values_list("supporter", "kind"))
    assert queued == {plain.supporter_id: "anniversary", willing.supporter_id: "renewal_upcoming_month"}


def test_a_payment_is_announced_from_three_days_before_until_the_day_before() -> None:
    row = gift(renews_on=FULL)
    choices.choose(row.supporter, {"renewal_upcoming_month": True}, "page")
    assert days_of(calendar_letters.NEXT_MONTH, [FULL]) == [FULL - timedelta(days=3)]


def test_the_sum_so_far_leaves_out_what_went_back_and_what_failed() -> None:
    row = gift(is_paid=False)
    of = {"subscription": row, "frequency": "month"}
    for _number in range(2):
        factories.payment(row.supporter, **of)
    factories.refund(factories.payment(row.supporter, **of), 400)
    factories.refund(factories.payment(row.supporter, **of), 1000)
    factories.dispute(factories.payment(row.supporter, **of))
    factories.payment(row.supporter, **of, status="failed")
    factories.payment(row.supporter)
    due_letters.send(calendar_letters.YEARLY_REMINDER, FULL - timedelta(days=30))
    context = Message.objects.get().context
    assert (context["times"], context["given"], context["agreed_on"]) == (3, 2600, "2024-03-15")


def test_of_a_gift_of_which_all_went_back_there_is_a_reminder_without_a_sum_and_no_word() -> None:
    row = gift(is_paid=False)
    paid = factories.payment(row.supporter, subscription=row, frequency="month")
    factories.refund(paid, 400)
    factories.dispute(paid, amount=600, withdrawn_amount=600)
    assert due_letters.send(calendar_letters.FULL_YEAR, FULL + timedelta(days=2)).due == 0
    assert due_letters.send(calendar_letters.YEARLY_REMINDER, FULL - timedelta(days=30)).queued == 1
    letter = render(Message.objects.get())
    assert "This gift began on 15 March 2024." in letter.text
    assert "agreed" not in letter.text + letter.html, "nobody knows when they agreed to what it is by now"
    assert "Since then" not in letter.text + letter.html


def test_a_day_costs_the_same_questions_for_one_as_for_many() -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert asdict(due_letters.send(calendar_letters.FULL_YEAR, FULL + timedelta(days=2)))["failed"] == 0
        return len(captured)

    gift()
    for_one = queries()
    for _number in range(20):
        gift()
    assert queries() == for_one
