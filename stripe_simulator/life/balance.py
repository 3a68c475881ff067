"""Writing balance transactions. Fees are taken from charges; refunds do not give them back, a failed debit does."""

from __future__ import annotations

from stripe_simulator.objects.balance import balance_transaction
from stripe_simulator.world import money
from stripe_simulator.world.clock import DAY
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


def for_charge(world: World, charge: Document) -> Document:
    """A debit's is written when it is ordered, and waits until the bank has answered and the money may be used."""
    settled = money.settle(charge["amount"], charge["currency"], world.policy.settlement)
    kind = "charge" if charge["payment_method_details"]["type"] == "card" else "payment"
    line = balance_transaction(world, kind, settled, charge["id"], money.fee_for(settled))
    if charge["status"] == "pending":
        line["available_on"] += world.policy.sepa_days * DAY
    return world.add(line)


def take_back(world: World, charge: Document) -> Document:
    """What a failed debit's line brought and its fee are undone, on the same day; that it failed may cost a fee too."""
    line = world.get("balance_transaction", charge["balance_transaction"])
    settled = money.Settled(-line["amount"], line["currency"], line["exchange_rate"])
    fee = world.policy.failure_fee - line["fee"]
    back = balance_transaction(world, "payment_failure_refund", settled, charge["id"], fee)
    return world.add({**back, "available_on": max(line["available_on"], back["available_on"])})


def moved(
    world: World, type: str, amount: int, currency: str, source: str, fee: int = 0, category: str | None = None
) -> Document:
    """Signed `amount` in the currency it was given in: positive comes in, negative goes out."""
    settled = money.settle(abs(amount), currency, world.policy.settlement)
    signed = money.Settled(settled.amount if amount > 0 else -settled.amount, settled.currency, settled.rate)
    return world.add(balance_transaction(world, type, signed, source, fee, category))
