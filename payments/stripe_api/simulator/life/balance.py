"""Writing balance transactions. Fees are taken from charges only; refunds do not give them back."""

from __future__ import annotations

from .. import money
from ..objects.balance import balance_transaction
from ..store import Document
from ..world import World


def for_charge(world: World, charge: Document) -> Document:
    settled = money.settle(charge["amount"], charge["currency"], world.policy.settlement)
    kind = "charge" if charge["payment_method_details"]["type"] == "card" else "payment"
    return world.add(balance_transaction(world, kind, settled, charge["id"], money.fee_for(settled)))


def moved(
    world: World, type: str, amount: int, currency: str, source: str, fee: int = 0, category: str | None = None
) -> Document:
    """Signed `amount` in the currency it was given in: positive comes in, negative goes out."""
    settled = money.settle(abs(amount), currency, world.policy.settlement)
    signed = money.Settled(settled.amount if amount > 0 else -settled.amount, settled.currency, settled.rate)
    return world.add(balance_transaction(world, type, signed, source, fee, category))
