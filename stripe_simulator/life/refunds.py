"""Refunds: full, partial, several; pending at the bank; failed later, which returns the money to the balance."""

from __future__ import annotations

from typing import Any

from stripe_simulator.life import balance
from stripe_simulator.objects import payments
from stripe_simulator.world import money
from stripe_simulator.world.clock import DAY, duty
from stripe_simulator.world.errors import StripeRefusal, invalid
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


def refund(world: World, charge: Document, amount: int | None = None, **given: Any) -> Document:
    """Refund a charge; return the refund. Raises StripeRefusal for a charge or amount that Stripe does not refund.

    `amount` is in minor units of the charge's currency; None refunds all that is left.
    """
    amount = _checked(charge, amount)
    pending = charge["payment_method_details"]["type"] != "card"
    document = payments.refund(world, charge, amount, status="pending" if pending else "succeeded", **given)
    world.add(document)
    kind = "payment_refund" if pending else "refund"
    moved = balance.moved(world, kind, -amount, charge["currency"], document["id"])
    world.update(document, balance_transaction=moved["id"])
    total = charge["amount_refunded"] + amount
    world.update(charge, amount_refunded=total, refunded=total == charge["amount"])
    world.emit("refund.created", document)
    world.emit("charge.refunded", charge)
    if pending:
        world.schedule(world.now() + world.policy.sepa_days * DAY, "refund", document["id"])
    return document


def _checked(charge: Document, amount: int | None) -> int:
    """Return the amount to refund: all that is left for None. Raises StripeRefusal."""
    left = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded":
        raise invalid("This charge has not succeeded and cannot be refunded.", "charge", "charge_not_refundable")
    if charge["disputed"]:
        raise invalid(f"Charge {charge['id']} has been charged back; cannot issue a refund.", None, "charge_disputed")
    if left == 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", None, "charge_already_refunded")
    amount = left if amount is None else amount
    if amount <= 0:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    if amount > left:
        asked, rest = money.display(amount, charge["currency"]), money.display(left, charge["currency"])
        raise StripeRefusal(
            f"Refund amount ({asked}) is greater than unrefunded amount on charge ({rest})", param="amount"
        )
    return amount


@duty("refund")
def arrive(world: World, refund_id: str) -> None:
    document = world.get("refund", refund_id)
    if document["status"] == "pending":
        world.update(document, "refund.updated", status="succeeded")


def fail(world: World, document: Document, reason: str = "expired_or_canceled_card") -> None:
    """Fail a refund that the bank did not accept: the money returns, and the charge is no longer refunded. Idempotent.

    For a payment not made by card, Stripe has no type for this line: it is a refund's line with the opposite sign.
    """
    if document["status"] not in ("pending", "succeeded"):
        return
    charge = world.get("charge", document["charge"])
    kind = "refund_failure" if charge["payment_method_details"]["type"] == "card" else "payment_refund"
    returned = balance.moved(
        world, kind, document["amount"], document["currency"], document["id"], category="refund_failure"
    )
    world.update(document, status="failed", failure_reason=reason, failure_balance_transaction=returned["id"])
    total = charge["amount_refunded"] - document["amount"]
    world.update(charge, amount_refunded=total, refunded=False)
    world.emit("refund.updated", document)
    world.emit("refund.failed", document)
    world.emit("charge.updated", charge)
