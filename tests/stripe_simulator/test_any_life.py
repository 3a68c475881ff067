"""Random lives with fixed seeds: in whatever order things happen, the simulated balance adds up."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from stripe_simulator import ACCOUNTS, CARDS, Simulator
from stripe_simulator.life.checkout import NotOpen
from stripe_simulator.world.errors import StripeRefusal
from tests.stripe_simulator.conftest import Give, Receiver
from tests.stripe_simulator.shapes import problems

STEPS = 60


def moves(give: Give, sim: Simulator, dice: Random) -> list[Callable[[], object]]:
    """Return everything that may happen next, each to an object chosen at random."""

    def one(kind: str) -> dict[str, Any]:
        return dice.choice(sim.world.store.all(kind))

    def begin() -> None:
        give.session(dice.choice(["payment", "subscription"]), currency=dice.choice(["eur", "usd", "jpy"]), amount=1500)

    def pay() -> None:
        by_bank = one("checkout.session")["currency"] == "eur" and dice.random() < 0.3
        iban = dice.choice(list(ACCOUNTS)) if by_bank else None
        sim.pay(one("checkout.session")["id"], dice.choice(list(CARDS)), iban=iban, authenticate=dice.random() < 0.8)

    return [
        begin,
        pay,
        pay,
        lambda: sim.advance(days=dice.choice([1, 3, 10, 31])),
        lambda: sim.refund(one("charge")["id"], dice.choice([None, 1, 700, 5000])),
        lambda: sim.fail_refund(one("refund")["id"]),
        lambda: sim.dispute(one("charge")["id"]),
        lambda: sim.close_dispute(one("dispute")["id"], won=dice.random() < 0.5),
        lambda: sim.settle_sepa(one("charge")["id"], succeeds=dice.random() < 0.5),
        lambda: sim.set_payment_method(one("customer")["id"], dice.choice(list(CARDS)), retry_now=dice.random() < 0.5),
        lambda: sim.cancel(one("subscription")["id"], at_period_end=dice.random() < 0.5),
        lambda: sim.payout(),
        lambda: sim.revoke_mandate(one("payment_method")["id"]),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_the_books_add_up(give: Give, sim: Simulator, receiver: Receiver, seed: int) -> None:
    dice = Random(seed)
    possible = moves(give, sim, dice)
    for _ in range(STEPS):
        # There is nothing to choose yet, or Stripe refuses it: continue with the next step.
        with contextlib.suppress(IndexError, StripeRefusal, NotOpen):
            dice.choice(possible)()
    sim.advance(days=40)
    assert sim.flush(20)
    check_books(sim)
    check_states(sim)
    assert not [problem for event in receiver.events for problem in problems(event["data"]["object"])]


def check_books(sim: Simulator) -> None:
    all_of = sim.world.store.all
    refunds = [refund for refund in all_of("refund") if refund["status"] != "failed"]
    for charge in all_of("charge"):
        mine = sum(refund["amount"] for refund in refunds if refund["charge"] == charge["id"])
        assert mine == charge["amount_refunded"] <= charge["amount"]
        moved, taken_back = charge["balance_transaction"], charge["failure_balance_transaction"]
        is_debit = charge["payment_method_details"]["type"] == "sepa_debit"
        assert bool(moved) is (charge["status"] == "succeeded") or is_debit
        assert bool(taken_back) is bool(moved and charge["status"] == "failed")
    for row in all_of("balance_transaction"):
        assert row["net"] == row["amount"] - row["fee"]
        assert row["fee"] == sum(detail["amount"] for detail in row["fee_details"])
        assert sim.world.store.find(row["source"]) is not None
    for payout in all_of("payout"):
        rows = [row["net"] for row in all_of("balance_transaction") if row["_payout"] == payout["id"]]
        assert sum(rows) == 0


def check_states(sim: Simulator) -> None:
    all_of = sim.world.store.all
    for invoice in all_of("invoice"):
        intent = sim.world.store.get("payment_intent", invoice.get("_intent"))
        if invoice["status"] == "paid":
            assert intent
            assert intent["status"] == "succeeded"
            assert invoice["amount_paid"] == intent["amount_received"]
    for intent in all_of("payment_intent"):
        paid = [c for c in all_of("charge") if c["payment_intent"] == intent["id"] and c["status"] == "succeeded"]
        assert len(paid) == (1 if intent["status"] == "succeeded" else 0)
    for subscription in all_of("subscription"):
        end = subscription["items"]["data"][0]["current_period_end"]
        assert subscription["status"] == "canceled" or end > sim.now()
