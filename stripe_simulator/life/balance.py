"""Write balance transactions. Stripe takes its fee from a charge; a refund does not return it, a failed debit does."""

from __future__ import annotations

from stripe_simulator.objects.balance import balance_transaction
from stripe_simulator.world import money
from stripe_simulator.world.clock import DAY
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


def for_charge(world: World, charge: Document) -> Document:
    """Write the line of a charge. A pending bank debit gets its line too; its money is available `sepa_days` later."""
    settled = money.settle(charge["amount"], charge["currency"], world.policy.settlement)
    kind = "charge" if charge["payment_method_details"]["type"] == "card" else "payment"
    line = balance_transaction(world, kind, settled, charge["id"], money.fee_for(settled))
    if charge["status"] == "pending":
        line["available_on"] += world.policy.sepa_days * DAY
    return world.add(line)


def take_back(world: World, charge: Document) -> Document:
    """Write the line that reverses a failed debit and its fee, less the failure fee that Stripe may take.

    It is never available before the line that it reverses.
    """
    line = world.get("balance_transaction", charge["balance_transaction"])
    settled = money.Settled(-line["amount"], line["currency"], line["exchange_rate"])
    fee = world.policy.failure_fee - line["fee"]
    back = balance_transaction(world, "payment_failure_refund", settled, charge["id"], fee)
    return world.add({**back, "available_on": max(line["available_on"], back["available_on"])})


def moved(
    world: World, type: str, amount: int, currency: str, source: str, fee: int = 0, category: str | None = None
) -> Document:
    """Write the line of another movement. `amount`, in minor units of `currency`, is negative if money goes out."""
    settled = money.settle(abs(amount), currency, world.policy.settlement)
    signed = money.Settled(settled.amount if amount > 0 else -settled.amount, settled.currency, settled.rate)
    return world.add(balance_transaction(world, type, signed, source, fee, category))
