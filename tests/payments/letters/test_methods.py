"""Emails about cards that expire and debits that the bank ended: in time, twice at most, and only where they help."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from members.models import Message
from payments.letters import due as due_letters
from payments.letters import methods as method_letters
from tests import factories

EXPIRES = date(2026, 3, 31)


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Give every test here the database."""


def days_of(first: date, days: int) -> list[date]:
    found = []
    for day in (first + timedelta(days=number) for number in range(days)):
        found += [day] * sum(due_letters.send(method_letters.CARD_EXPIRING, day).queued for _ in range(2))
    return found


def card(**values: Any) -> Any:
    return factories.subscription(**{"method_expires_on": EXPIRES, **values})


def test_on_the_first_day_of_the_month_before_and_two_weeks_later() -> None:
    card()
    assert days_of(date(2026, 1, 20), 90) == [date(2026, 2, 1), date(2026, 2, 15)]


def test_across_the_turn_of_a_year_and_the_end_of_february() -> None:
    card(method_expires_on=date(2026, 1, 31))
    card(method_expires_on=date(2028, 2, 29))
    assert days_of(date(2025, 11, 20), 90) == [date(2025, 12, 1), date(2025, 12, 15)]
    assert days_of(date(2027, 12, 20), 90) == [date(2028, 1, 1), date(2028, 1, 15)]


def test_another_card_ends_it_and_has_its_own_end() -> None:
    row = card()
    assert days_of(date(2026, 2, 1), 5) == [date(2026, 2, 1)]
    row.method_expires_on = date(2029, 6, 30)
    row.save()
    assert days_of(date(2026, 2, 6), 60) == []
    assert days_of(date(2029, 4, 25), 60) == [date(2029, 5, 1), date(2029, 5, 15)]


def test_late_rather_than_never_but_not_after_the_day() -> None:
    card()
    assert days_of(date(2026, 3, 31), 1) == [date(2026, 3, 31)]
    card()
    assert days_of(date(2026, 4, 1), 30) == []


@pytest.mark.parametrize(
    ("values", "is_emailed"),
    [
        ({"frequency": "year", "renews_on": date(2026, 3, 31)}, False),
        ({"frequency": "year", "renews_on": date(2026, 4, 1)}, True),
        ({"cancel_at_period_end": True}, False),
        ({"status": "past_due"}, False),
        ({"status": "canceled"}, False),
        ({"collection_paused": True}, False),
        ({"method_expires_on": None}, False),
    ],
)
def test_who_is_told(values: dict[str, Any], is_emailed: bool) -> None:
    card(**values)
    assert bool(days_of(date(2026, 2, 1), 40)) is is_emailed


def test_a_bank_that_ends_the_debits_is_told_of_once_an_account() -> None:
    row = factories.subscription(method="SEPA 3000", stripe_payment_method_id="pm_1")
    assert method_letters.mandate_cancelled(row) is not None
    assert method_letters.mandate_cancelled(row) is None
    row.stripe_payment_method_id = "pm_2"
    assert method_letters.mandate_cancelled(row) is not None
    assert set(Message.objects.values_list("kind", flat=True)) == {"mandate_cancelled"}
