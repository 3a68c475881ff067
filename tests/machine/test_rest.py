"""The proof can fail: books with one thing wrong are noticed at rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from members import clock
from members.models import Message
from payments.accounts import account as accounts
from payments.letters import calendar, changes, endings
from payments.models import LedgerEntry, Payment, Subscription
from payments.recurring.changes import request_stop
from tests.machine.house import House
from tests.machine.lives import Lives
from tests.machine.test_lives import a_scene_of_its_own


@pytest.fixture
def life(committed: None, tmp_path: Path) -> Iterator[Lives]:
    """One gift by debit and two by card, all told and worked."""
    Lives.stage_of = lambda: a_scene_of_its_own(tmp_path)
    House.until = float("inf")
    life = Lives()
    life.somebody_gives_already(by_debit=True)
    life.come_to_rest()
    yield life
    life.scene.close()


def test_right_books_are_found_right(life: Lives) -> None:
    life.is_well()


@pytest.mark.parametrize("kind", ["charge", "settlement"])
def test_a_line_that_is_missing_is_noticed(life: Lives, kind: str) -> None:
    line = LedgerEntry.objects.filter(kind=kind).order_by("pk").last()
    assert line is not None
    _by_force("DELETE FROM payments_ledgerentry WHERE id = %s OR settles_id = %s", [line.pk, line.pk])
    with pytest.raises(AssertionError):
        life.books_are_stripe_s()


def test_one_unit_of_a_fee_is_noticed(life: Lives) -> None:
    line = LedgerEntry.objects.filter(kind="settlement").order_by("pk").first()
    assert line is not None
    _by_force("UPDATE payments_ledgerentry SET fee = fee + 1 WHERE id = %s", [line.pk])
    with pytest.raises(AssertionError):
        life.books_are_stripe_s()


def test_money_that_never_came_is_noticed(life: Lives) -> None:
    Payment.objects.filter(status="succeeded").update(status="processing")
    with pytest.raises(AssertionError):
        life.states_are_stripe_s()


def test_a_stop_that_never_reached_stripe_is_noticed(life: Lives) -> None:
    subscription = life.alive(0)
    assert subscription is not None
    subscription.changes.create(kind="stop", surface="mail", state="seen", requested_at=clock.now())
    with pytest.raises(AssertionError):
        life.wishes_were_carried_out()


def queued(letter: Message | None) -> None:
    assert letter is not None
    letter.save()


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda row: endings.cancelled(row, None), "cancelled of .* nothing more is charged"),
        (lambda row: changes.paused(row), "paused of .* nothing is charged until"),
        (lambda row: changes.resumed(row), "resumed of .* named 1"),
        (lambda row: queued(calendar.monthly_reminder(accounts.of(row))), "monthly_reminder of .* named 1"),
        (lambda row: changes.plan_changed(row, row), "plan_changed of .* named 1"),
    ],
)
def test_an_email_that_contradicts_the_money_is_noticed(
    life: Lives, write: Callable[[Subscription], object], told: str
) -> None:
    row = Subscription.objects.filter(method__startswith="Visa").first() or Subscription.objects.earliest("pk")
    row.amount = 1
    write(row)
    life.letters_are_true()
    life.passes(timedelta(days=33))
    life.come_to_rest()
    with pytest.raises(AssertionError, match=told):
        life.letters_are_true()


def test_a_stop_that_does_not_name_what_is_under_way_is_noticed(life: Lives) -> None:
    """The first payment of a debit is with the bank when the stop is asked for, and comes afterwards."""
    row = Subscription.objects.get(method__startswith="SEPA")
    change = request_stop(row, "mail")
    life.come_to_rest()
    message = Message.objects.get(kind="cancelled")
    assert str(change.public_id) in message.key
    life.passes(timedelta(days=6))
    life.come_to_rest()
    life.letters_are_true()
    Message.objects.filter(pk=message.pk).update(context={**message.context, "under_way": []})
    with pytest.raises(AssertionError, match="did not name what is under way"):
        life.letters_are_true()


def _by_force(statement: str, values: list[int]) -> None:
    """What the triggers of the ledger refuse."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET session_replication_role = DEFAULT")
