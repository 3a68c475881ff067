"""Automatic payouts: the available balance goes to the bank, one payout per currency, tied to its balance lines."""

from __future__ import annotations

from collections import defaultdict

from stripe_simulator.objects import payments
from stripe_simulator.objects.balance import balance_transaction
from stripe_simulator.world import money
from stripe_simulator.world.clock import DAY, duty
from stripe_simulator.world.errors import invalid
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

# A payout is pending for this long before it leaves for the bank, and can be canceled until then.
PENDING_SECONDS = 6 * 3600


def pay_out(world: World) -> list[Document]:
    """Create and return a payout for each currency with a positive available balance."""
    waiting: dict[str, list[Document]] = defaultdict(list)
    for row in world.store.where("balance_transaction", _payout=None):
        if row["available_on"] <= world.now():
            waiting[row["currency"]].append(row)
    return [_pay(world, rows) for rows in waiting.values() if sum(row["net"] for row in rows) > 0]


def _pay(world: World, rows: list[Document]) -> Document:
    amount = sum(row["net"] for row in rows)
    payout = world.add(payments.payout(world, amount, rows[0]["currency"]))
    settled = money.Settled(-amount, payout["currency"], None)
    own = world.add(balance_transaction(world, "payout", settled, payout["id"]))
    world.update(payout, balance_transaction=own["id"])
    for row in (*rows, own):
        world.update(row, _payout=payout["id"])
    world.emit("payout.created", payout)
    world.schedule(world.now() + PENDING_SECONDS, "payout_leaves", payout["id"])
    world.schedule(payout["arrival_date"], "payout_arrives", payout["id"])
    return payout


@duty("payout_leaves")
def leave(world: World, payout_id: str) -> None:
    payout = world.get("payout", payout_id)
    if payout["status"] == "pending":
        world.update(payout, "payout.updated", status="in_transit")


@duty("payout_arrives")
def arrive(world: World, payout_id: str) -> None:
    payout = world.get("payout", payout_id)
    if payout["status"] != "in_transit":
        return
    world.update(payout, status="paid")
    world.emit("payout.paid", payout)
    world.update(payout, "payout.updated", trace_id={"status": "supported", "value": payout["id"][3:18]})
    world.update(payout, reconciliation_status="completed")
    world.emit("payout.reconciliation_completed", payout)


def fail(world: World, payout: Document) -> None:
    """Fail a payout: the bank sent it back, and the money returns to the balance on a line of its own."""
    settled = money.Settled(payout["amount"], payout["currency"], None)
    returned = world.add(balance_transaction(world, "payout_failure", settled, payout["id"]))
    world.update(
        payout,
        "payout.failed",
        status="failed",
        failure_code="account_closed",
        failure_message="The bank account has been closed.",
        failure_balance_transaction=returned["id"],
    )


def cancel(world: World, payout: Document) -> None:
    """Cancel a pending payout: the money returns to the balance on a line of its own. Raises StripeRefusal."""
    if payout["status"] != "pending":
        raise invalid("Payouts can only be canceled while they are pending.", "payout")
    settled = money.Settled(payout["amount"], payout["currency"], None)
    returned = world.add(balance_transaction(world, "payout_cancel", settled, payout["id"]))
    world.update(payout, "payout.canceled", status="canceled", failure_balance_transaction=returned["id"])


@duty("payouts")
def pay_out_daily(world: World, id: str) -> None:
    pay_out(world)
    if world.policy.payout_days:
        world.schedule(world.now() + world.policy.payout_days * DAY, "payouts", id)
