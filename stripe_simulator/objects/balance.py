"""Balance transactions: how a charge, refund, dispute or payout changes the balance, in the settlement currency."""

from __future__ import annotations

from stripe_simulator.world.clock import DAY
from stripe_simulator.world.money import Settled
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

CATEGORIES = {
    "payment": "charge",
    "payment_failure_refund": "charge_failure",
    "payment_refund": "refund",
    "adjustment": "dispute",
}


def balance_transaction(
    world: World, type: str, settled: Settled, source: str, fee: int = 0, category: str | None = None
) -> Document:
    """Return a balance transaction. `settled.amount` is positive for incoming money; `fee` is positive if taken."""
    details = {
        "amount": fee,
        "application": None,
        "currency": settled.currency,
        "description": "Dispute fee" if type == "adjustment" else "Stripe processing fees",
        "type": "stripe_fee",
    }
    wait = world.policy.available_days * DAY if type in ("charge", "payment") else 0
    return {
        "id": world.new_id("txn"),
        "object": "balance_transaction",
        "amount": settled.amount,
        "available_on": world.now() + wait,
        "balance_type": "payments",
        "created": world.now(),
        "currency": settled.currency,
        "description": None,
        "exchange_rate": settled.rate,
        "fee": fee,
        "fee_details": [details] if fee else [],
        "net": settled.amount - fee,
        "reporting_category": category or CATEGORIES.get(type, type),
        "source": source,
        "status": "pending",
        "type": type,
        "_payout": None,
    }
