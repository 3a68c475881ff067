"""Comparison of payouts: on their way, arrived, failed, with another amount, or known on one side only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from members import clock
from payments.books import payouts
from payments.errors import AlreadyClosed
from payments.models import Difference, Payout
from payments.reconciling import differences, missed_events, runs
from stripe_simulator import Chaos
from tests import factories
from tests.payments.reconciling.setting import alter, compare, forget, found
from tests.stage import Stage, set_the_scene


@pytest.fixture
def deaf(db: None, settings, tmp_path: Path) -> Iterator[Stage]:
    """A stage on which no webhook arrives."""
    yield from set_the_scene(settings, tmp_path, Client(), Chaos(drop=1.0))


def later(stage: Stage, days: int) -> None:
    """Move both clocks without delivering anything."""
    clock.move(timedelta(days=days))
    stage.stripe.advance(days=days)


def paid_out(stage: Stage) -> dict[str, Any]:
    """Make a gift and its payout, whose events have not arrived; return the payout."""
    stage.join("once", amount="25")
    later(stage, 3)
    return stage.stripe.payout()[0]


def about_payouts() -> set[tuple[str, str, str]]:
    return {(field, ours, theirs) for kind, field, ours, theirs in found() if kind == "payout"}


def take_all(stage: Stage) -> None:
    marta = User.objects.filter(username="marta").first() or factories.staff()
    for row in Difference.objects.filter(state="open", kind="payout"):
        differences.take(row, marta)
    stage.work()


def test_one_that_is_known_agrees_on_its_way_and_arrived(stage: Stage) -> None:
    paid_out(stage)
    for _ in range(3):
        stage.settle_down()
        assert compare(stage).found == 0
        later(stage, 1)
    assert Payout.objects.get().compared_at is not None


def test_one_unheard_is_missing_while_it_is_on_its_way_and_is_taken(stage: Stage) -> None:
    made = paid_out(stage)
    compare(stage)
    assert about_payouts() == {("missing", "", f"{made['amount']} EUR")}
    take_all(stage)
    assert Payout.objects.get().status == "pending"
    assert compare(stage).found == 0
    later(stage, 2)
    compare(stage)
    assert about_payouts() == {("status", "pending", "paid"), ("lines", "no", "yes")}
    take_all(stage)
    assert (Payout.objects.get().status, Payout.objects.get().unexplained) == ("paid", 0)
    assert compare(stage).found == 0


def test_one_that_the_bank_sent_back_days_later(stage: Stage) -> None:
    made = paid_out(stage)
    stage.settle_down()
    later(stage, 2)
    stage.settle_down()
    for _ in range(4):
        later(stage, 1)
        assert compare(stage).found == 0
    stage.stripe.fail_payout(made["id"])
    compare(stage)
    assert about_payouts() == {("status", "paid", "failed")}


def test_another_amount_and_one_stripe_does_not_know(stage: Stage) -> None:
    made = paid_out(stage)
    stage.settle_down()
    alter(stage, made["id"], amount=made["amount"] + 1)
    compare(stage)
    assert about_payouts() == {("amount", f"{made['amount']} EUR", f"{made['amount'] + 1} EUR")}
    with pytest.raises(AlreadyClosed):
        differences.take(Difference.objects.get(), factories.staff())
    forget(stage, made["id"])
    compare(stage)
    assert ("extra", f"{made['amount']} EUR", "") in about_payouts()


def test_a_month_of_silence(deaf: Stage) -> None:
    """After 31 days Stripe lists no event of the payout any more; the comparison finds and accepts it, to the cent."""
    compare(deaf)
    deaf.pay(deaf.give("once", amount="25"))
    missed_events.collect()
    deaf.work()
    later(deaf, 3)
    deaf.stripe.payout()
    later(deaf, 1 + 31)
    missed_events.collect()
    deaf.work()
    assert not Payout.objects.exists()
    compare(deaf)
    assert {field for field, _, _ in about_payouts()} == {"missing"}
    take_all(deaf)
    payout = Payout.objects.get()
    assert (payout.status, payout.unexplained) == ("paid", 0)
    assert payouts.holding(payout).booked == payout.amount
    assert compare(deaf).found == 0
    assert runs.step().differences == 0
