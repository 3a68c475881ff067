"""Shared by the tests of the comparison: moving both clocks, reading open differences, changing objects at Stripe."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from members import clock
from members.models import Membership, Message
from payments.models import (
    Checkout,
    Difference,
    Dispute,
    LedgerEntry,
    Payment,
    Reconciliation,
    Refund,
    StripeEvent,
    Subscription,
)
from payments.reconciling import comparison
from tests.stage import Stage


def compare(stage: Stage) -> Reconciliation:
    """Move both clocks ten minutes ahead and run the complete comparison; return the run."""
    stage.stripe.advance(seconds=600)
    clock.move(timedelta(seconds=600))
    run = comparison.run()
    assert run is not None
    return run


def found() -> set[tuple[str, str, str, str]]:
    """Return kind, field, our value and Stripe's value of each open difference."""
    rows = Difference.objects.filter(state="open")
    return set(rows.values_list("kind", "field", "ours", "theirs"))


def counts() -> tuple[int, ...]:
    models = (Payment, LedgerEntry, Subscription, Refund, Dispute, Membership, Message, StripeEvent, Checkout)
    return tuple(model.objects.count() for model in models)


def alter(stage: Stage, stripe_id: str, **changes: Any) -> None:
    """Change an object at Stripe without an event."""
    world = stage.stripe.world
    with world.transaction():
        world.update(world.store.find(stripe_id), **changes)


def forget(stage: Stage, stripe_id: str) -> None:
    """Remove an object at Stripe without an event."""
    world = stage.stripe.world
    with world.transaction():
        world.store.remove(world.store.find(stripe_id))


def balance_line(stage: Stage, kind: str = "charge") -> dict[str, Any]:
    """Return the first line of this type in Stripe's balance."""
    lines = stage.stripe.world.store.all("balance_transaction")
    return dict(next(line for line in lines if line["type"] == kind))
