"""Refunds, disputes and payouts, and the balance that they add up to."""

from __future__ import annotations

import pytest
import stripe

from stripe_simulator import Simulator
from stripe_simulator.world.errors import StripeRefusal
from tests.stripe_simulator.conftest import Give, Receiver


def refunds_of(give: Give, charge: str) -> list[int]:
    return [refund.amount for refund in give.client.v1.refunds.list({"charge": charge}).data]


def charge_of(give: Give) -> stripe.Charge:
    return give.client.v1.charges.list({}).data[0]


def test_partial_refunds_up_to_the_whole(give: Give, sim: Simulator, receiver: Receiver) -> None:
    session, client = give(amount=1000), give.client
    first = client.v1.refunds.create({"payment_intent": session.payment_intent, "amount": 300})
    assert (first.status, first.currency) == ("succeeded", "eur")
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        client.v1.refunds.create({"payment_intent": session.payment_intent, "amount": 701})
    client.v1.refunds.create({"charge": charge_of(give).id, "reason": "requested_by_customer"})
    charge = charge_of(give)
    assert (charge.amount_refunded, charge.refunded) == (1000, True)
    assert refunds_of(give, charge.id) == [700, 300]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_already_refunded"
    assert sim.snapshot()["eur"] == {"gross": 0, "fees": 39, "net": -39, "charge": 961, "refund": -1000}
    assert sim.flush()
    assert receiver.types.count("refund.created") == receiver.types.count("charge.refunded") == 2


def test_a_refund_that_fails_brings_the_money_back(give: Give, sim: Simulator, receiver: Receiver) -> None:
    refund = sim.refund(give(amount=1000), 400)
    sim.fail_refund(refund)
    failed = give.client.v1.refunds.retrieve(refund["id"], {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_balance_transaction.amount) == ("failed", 400)
    assert charge_of(give).amount_refunded == 0
    assert sim.snapshot()["eur"]["gross"] == 1000
    assert sim.flush()
    assert receiver.types[-3:] == ["refund.updated", "refund.failed", "charge.updated"]


def test_a_refund_to_a_bank_account_takes_its_time(give: Give, sim: Simulator) -> None:
    session = give(iban="DE89370400440532013000")
    with pytest.raises(stripe.InvalidRequestError):
        give.client.v1.refunds.create({"payment_intent": session.payment_intent})
    sim.settle_sepa(session)
    refund = give.client.v1.refunds.create({"payment_intent": session.payment_intent})
    assert refund.status == "pending"
    sim.advance(days=6)
    assert give.client.v1.refunds.retrieve(refund.id).status == "succeeded"
    sim.fail_refund(refund.id)
    failed = give.client.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    back = failed.failure_balance_transaction
    assert (back.type, back.amount, back.reporting_category) == ("payment_refund", 1000, "refund_failure")


def line_of(give: Give, name: str) -> stripe.BalanceTransaction:
    return give.client.v1.balance_transactions.retrieve(getattr(charge_of(give), name))


def test_a_debit_has_its_line_from_the_day_of_its_order(give: Give, sim: Simulator) -> None:
    session = give(iban="DE89370400440532013000")
    ordered = line_of(give, "balance_transaction")
    assert charge_of(give).status == "pending"
    assert (ordered.type, ordered.amount, ordered.fee, ordered.status) == ("payment", 1000, 39, "pending")
    sim.advance(days=6)
    come = line_of(give, "balance_transaction")
    assert sim.get(session.payment_intent)["status"] == "succeeded"
    assert (come.id, come.status) == (ordered.id, "pending")
    sim.advance(days=2)
    assert line_of(give, "balance_transaction").status == "available"
    assert sim.snapshot()["eur"] == {"gross": 1000, "fees": 39, "net": 961, "payment": 961}


@pytest.mark.parametrize("fee", [0, 350])
def test_a_debit_that_fails_is_taken_back_by_a_line_of_its_own(give: Give, sim: Simulator, fee: int) -> None:
    sim.world.policy.failure_fee = fee
    give(iban="DE62370400440532013001")
    sim.advance(days=6)
    assert charge_of(give).status == "failed"
    back, out = line_of(give, "balance_transaction"), line_of(give, "failure_balance_transaction")
    assert (out.type, out.amount, out.source) == ("payment_failure_refund", -1000, charge_of(give).id)
    assert out.available_on == back.available_on
    assert sim.snapshot()["eur"] == {
        "gross": 0,
        "fees": fee,
        "net": -fee,
        "payment": 961,
        "payment_failure_refund": -961 - fee,
    }


@pytest.mark.parametrize(("won", "left"), [(True, 1000), (False, 0)])
def test_a_dispute_is_won_or_lost(give: Give, sim: Simulator, receiver: Receiver, won: bool, left: int) -> None:
    give(amount=1000)
    dispute = sim.dispute(charge_of(give).id)
    assert charge_of(give).disputed
    assert dispute["balance_transactions"][0]["fee"] == 1500
    with pytest.raises(stripe.InvalidRequestError):
        give.client.v1.refunds.create({"charge": charge_of(give).id})
    sim.close_dispute(dispute, won=won)
    assert sim.snapshot()["eur"] == {
        "gross": left,
        "fees": 1539,
        "net": left - 1539,
        "charge": 961,
        "adjustment": left - 1000 - 1500,
    }
    assert sim.flush()
    kinds = [type.removeprefix("charge.dispute.") for type in receiver.types if type.startswith("charge.dispute.")]
    assert kinds == ["created", "funds_withdrawn", "closed", *(["funds_reinstated"] if won else [])]


def test_a_payout_lists_its_rows(give: Give, sim: Simulator, receiver: Receiver) -> None:
    give(amount=1000)
    give(amount=2000)
    assert sim.payout() == []
    sim.advance(days=3)
    [payout] = sim.payout()
    rows = give.client.v1.balance_transactions.list({"payout": payout["id"], "expand": ["data.source"]}).data
    assert sum(row.net for row in rows if row.type != "payout") == payout["amount"] == 1000 - 39 + 2000 - 53
    assert sum(row.net for row in rows) == 0
    assert {row.source.object for row in rows} == {"charge", "payout"}
    assert give.client.v1.balance_transactions.list({"source": charge_of(give).id}).data[0].type == "charge"
    sim.advance(days=2)
    assert give.client.v1.payouts.retrieve(payout["id"]).reconciliation_status == "completed"
    assert sim.flush()
    types = [name.removeprefix("payout.") for name in receiver.types[-5:]]
    assert types == ["created", "updated", "paid", "updated", "reconciliation_completed"]


def test_a_payout_is_taken_back_before_it_leaves(give: Give, sim: Simulator) -> None:
    give(amount=1000)
    sim.advance(days=3)
    before = sim.snapshot()["eur"]["net"]
    [payout] = sim.payout()
    sim.cancel_payout(payout)
    sim.advance(days=2)
    assert give.client.v1.payouts.retrieve(payout["id"]).status == "canceled"
    assert sim.snapshot()["eur"]["net"] == before
    with pytest.raises(StripeRefusal):
        sim.cancel_payout(payout)


def test_late_fees_arrive_with_charge_updated(start, receiver: Receiver) -> None:
    from tests.stripe_simulator.conftest import client_of

    running = start(post=receiver, late_fees=True)
    give, sim = Give(client_of(running), running.simulator), running.simulator
    give()
    assert sim.flush()
    assert receiver.last("charge.succeeded")["balance_transaction"] is None
    sim.advance(seconds=3)
    assert sim.flush()
    updated = receiver.events[-1]
    assert updated["type"] == "charge.updated"
    assert updated["data"]["previous_attributes"] == {"balance_transaction": None}
    assert charge_of(give).balance_transaction == updated["data"]["object"]["balance_transaction"]
