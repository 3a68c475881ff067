"""What tests of the comparison share: both clocks, what is open, and a Stripe that says something else."""

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
    stage.stripe.advance(seconds=600)
    clock.move(timedelta(seconds=600))
    run = comparison.run()
    assert run is not None
    return run


def found() -> set[tuple[str, str, str, str]]:
    rows = Difference.objects.filter(state="open")
    return set(rows.values_list("kind", "field", "ours", "theirs"))


def counts() -> tuple[int, ...]:
    models = (Payment, LedgerEntry, Subscription, Refund, Dispute, Membership, Message, StripeEvent, Checkout)
    return tuple(model.objects.count() for model in models)


def alter(stage: Stage, stripe_id: str, **changes: Any) -> None:
    """What Stripe says of an object from now on, told by no event."""
    world = stage.stripe.world
    with world.transaction():
        world.update(world.store.find(stripe_id), **changes)


def forget(stage: Stage, stripe_id: str) -> None:
    world = stage.stripe.world
    with world.transaction():
        world.store.remove(world.store.find(stripe_id))


def balance_line(stage: Stage, kind: str = "charge") -> dict[str, Any]:
    lines = stage.stripe.world.store.all("balance_transaction")
    return dict(next(line for line in lines if line["type"] == kind))
