"""Fees are looked up as soon as a gift is recorded, and ever more rarely for a line that Stripe never settles."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from members import clock
from payments.books import settlements
from payments.management.commands import drain as command
from payments.models import LedgerEntry, Payment
from payments.stripe_api import account
from payments.webhooks import drain
from tests.payments.reconciling.setting import balance_line, forget
from tests.stage import Stage

EVERY = timedelta(seconds=10)


def booked(stage: Stage, email: str = "olena@example.org") -> LedgerEntry:
    """Record a gift whose fee has not been looked up; return its ledger line."""
    stage.pay(stage.give("once", email=email))
    stage.bring()
    drain.until_nothing_is_due()
    return LedgerEntry.objects.get(payment=Payment.objects.latest("pk"), kind="charge")


def lists_asked(stage: Stage) -> int:
    return sum(request.path == "/v1/balance_transactions" for request in stage.stripe.requests)


def idle(stage: Stage, turns: int) -> int:
    """Let an idle drain run, one turn every ten seconds; return how many lists it requested from Stripe."""
    before, last = lists_asked(stage), None
    for _ in range(turns):
        last = command.settle(last)
        clock.move(EVERY)
    return lists_asked(stage) - before


def test_a_line_that_never_settles_is_asked_for_ever_more_seldom(stage: Stage) -> None:
    booked(stage)
    forget(stage, balance_line(stage)["id"])
    assert idle(stage, 2160) <= 12, "in six hours: after 20, 40, 80 seconds and so on"
    clock.move(timedelta(days=31))
    assert settlements.due(None, clock.now()) == [], "the nightly comparison shows it"
    assert settlements.collect() == 0, "whoever takes Stripe's asks for all"


def test_each_line_has_a_wait_of_its_own(stage: Stage) -> None:
    stuck = booked(stage)
    forget(stage, balance_line(stage)["id"])
    idle(stage, 30)
    last = clock.now()
    fresh = booked(stage, "b@example.org")
    assert settlements.due(last, clock.now()) == [fresh]
    assert idle(stage, 1) == 1
    assert set(settlements.unsettled()) == {stuck}


def test_a_late_fee_is_there_within_twice_its_delay(stage: Stage) -> None:
    line = booked(stage)
    at_stripe = dict(balance_line(stage))
    forget(stage, at_stripe["id"])
    idle(stage, 60)
    with stage.stripe.world.transaction():
        stage.stripe.world.add(at_stripe)
    last: datetime | None = clock.now()
    for _ in range(60):
        clock.move(EVERY)
        last = command.settle(last)
    assert not settlements.unsettled().filter(pk=line.pk).exists()


def test_stripe_not_answering_leaves_a_line_due(stage: Stage) -> None:
    line = booked(stage)
    stage.stripe.fail("500", times=5, path="/v1/balance_transactions")
    assert command.settle(None) is None
    stage.stripe.clear_faults()
    assert settlements.due(None, clock.now()) == [line]


@pytest.mark.parametrize(
    ("type", "amount", "source", "settles"),
    [
        ("charge", 1000, "ch_1", "charge"),
        ("payment", 1000, "py_1", "charge"),
        ("payment_failure_refund", -1000, "py_1", "failed"),
        ("refund", -1000, "re_1", "refund"),
        ("payment_refund", -1000, "pyr_1", "refund"),
        ("payment_refund", 1000, "pyr_1", "refund_returned"),
        ("refund_failure", 1000, "re_1", "refund_returned"),
        ("adjustment", 1000, "re_1", "refund_returned"),
        ("adjustment", -1000, "dp_1", "dispute"),
        ("adjustment", 1000, "du_1", "dispute_returned"),
        ("stripe_fee", -40, "", "none"),
    ],
)
def test_what_a_line_of_the_balance_settles(type: str, amount: int, source: str, settles: str) -> None:
    raw = {"id": "txn_1", "type": type, "source": source, "amount": amount, "currency": "eur", "fee": 0, "created": 1}
    assert settlements.source_of(account.balance_transaction(raw)) == f"{settles}:{source}"


@pytest.mark.parametrize(
    ("type", "category", "source", "is_fee"),
    [
        ("adjustment", "fee", "du_1", True),
        ("stripe_fee", "fee", "dp_1", True),
        ("adjustment", "dispute", "du_1", False),
        ("adjustment", "", "du_1", False),
        ("adjustment", "fee", "", False),
        ("adjustment", "fee", "re_1", False),
        ("stripe_fee", "fee", "", False),
    ],
)
def test_the_fee_of_a_dispute_is_known_by_its_category(type: str, category: str, source: str, is_fee: bool) -> None:
    raw = {"id": "txn_1", "type": type, "source": source, "amount": -1500, "currency": "eur", "fee": 0, "created": 1}
    line = account.balance_transaction({**raw, "reporting_category": category})
    assert settlements.is_dispute_fee(line) == is_fee
    assert (settlements.source_of(line) == "balance_transaction:txn_1") == is_fee
