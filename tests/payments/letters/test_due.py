"""Emails due on a date ask the account of a gift: a request that Stripe has accepted counts, although no read of it
has shown it yet.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from members import clock
from members.mail import choices
from members.models import Message
from payments.letters import calendar, changes, methods, reminders
from payments.letters import due as due_letters
from payments.models import Subscription
from tests import factories

TODAY_IN_A_YEAR = timedelta(days=366)


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Give every test here the database."""


def yearly() -> Subscription:
    return factories.subscription(frequency="year", renews_on=clock.today() + timedelta(days=7))


def monthly(**values: Any) -> Subscription:
    row = factories.subscription(renews_on=clock.today() + timedelta(days=3), **values)
    choices.choose(row.supporter, {calendar.UPCOMING: True, calendar.ANNIVERSARY: True}, "page")
    factories.payment(row.supporter, subscription=row, frequency="month")
    return row


def nearly_a_year(**ago: int) -> Subscription:
    return monthly(started_at=clock.now() - timedelta(**ago))


def card() -> Subscription:
    return factories.subscription(method_expires_on=clock.today() + timedelta(days=5))


def paused() -> Subscription:
    return factories.subscription(collection_paused=True, resumes_at=clock.now() + timedelta(days=4))


LETTERS: list[tuple[due_letters.DueLetter[Any], Any]] = [
    (reminders.YEARLY, yearly),
    (calendar.NEXT_MONTH, monthly),
    (calendar.YEARLY_REMINDER, lambda: nearly_a_year(days=350)),
    (calendar.FULL_YEAR, lambda: nearly_a_year(days=370)),
    (methods.CARD_EXPIRING, card),
    (changes.RESUMING, paused),
]


def accepted(row: Subscription, kind: str, **values: Any) -> None:
    given = {"surface": "page", "state": "accepted", "requested_at": clock.now()}
    row.changes.create(kind=kind, **{**given, **values})


@pytest.mark.parametrize(("kind", "make"), LETTERS, ids=[letter.name for letter, _make in LETTERS])
def test_of_a_gift_whose_stop_was_accepted_nothing_more_is_announced(
    kind: due_letters.DueLetter[Any], make: Any
) -> None:
    accepted(make(), "stop", stripe_params={"cancel_at_period_end": True})
    counts = due_letters.send(kind, clock.today())
    assert (counts.due, counts.queued, counts.skipped) == (1, 0, 1)


@pytest.mark.parametrize(("kind", "make"), LETTERS, ids=[letter.name for letter, _make in LETTERS])
def test_an_amount_that_was_accepted_is_the_one_that_is_named(kind: due_letters.DueLetter[Any], make: Any) -> None:
    row = make()
    accepted(row, "amount", amount=row.amount - 100, stripe_params={})
    assert due_letters.send(kind, clock.today()).queued == 1
    context = Message.objects.get().context
    assert context["amount"] == row.amount - 100
    assert context.get("take", row.amount - 100) == row.amount - 100
