"""Disputes: opened, with the money and a fee withdrawn; then won and reinstated, or lost. Inquiries move no money."""

from __future__ import annotations

from stripe_simulator.life import balance
from stripe_simulator.objects import payments
from stripe_simulator.world import money
from stripe_simulator.world.errors import invalid
from stripe_simulator.world.rendering import visible
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


def dispute(
    world: World,
    charge: Document,
    amount: int | None = None,
    reason: str = "fraudulent",
    inquiry: bool = False,
    currency: str | None = None,
) -> Document:
    """Open a dispute of a charge; `amount` is in minor units, None for all of it. Raises StripeRefusal.

    The bank may count in another `currency` than the charge's, and so take another amount.

    The dispute of a bank debit is final: it is lost when it is opened.
    """
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise invalid("This charge cannot be disputed.", "charge")
    debit = charge["payment_method_details"]["type"] == "sepa_debit"
    status = "warning_needs_response" if inquiry else "needs_response"
    document = payments.dispute(world, charge, amount or charge["amount"], reason, status)
    document["currency"] = currency or document["currency"]
    world.add(document)
    world.update(charge, disputed=True)
    world.emit("charge.dispute.created", document)
    if not inquiry:
        _withdraw(world, document)
    world.emit("charge.updated", charge, {"disputed": False})
    if debit:
        close(world, document, won=False)
    return document


def warn_of_fraud(world: World, charge: Document, kind: str) -> Document:
    """Let a card's issuer suspect fraud, in Stripe's word for it. No money moves."""
    return world.add(payments.fraud_warning(world, charge, kind), "radar.early_fraud_warning.created")


def _withdraw(world: World, document: Document) -> None:
    """Take the money with its fee; the fee has a balance line of its own if the account's policy says so."""
    apart = world.policy.dispute_fee_apart
    if apart:
        balance.moved(
            world, "adjustment", -money.DISPUTE_FEE, world.policy.settlement or "eur", document["id"], 0, "fee"
        )
    fee = 0 if apart else money.DISPUTE_FEE
    _move(world, document, -document["amount"], fee, "charge.dispute.funds_withdrawn")


def _move(world: World, document: Document, amount: int, fee: int, event: str) -> None:
    category = "dispute" if amount < 0 else "dispute_reversal"
    moved = balance.moved(world, "adjustment", amount, document["currency"], document["id"], fee, category)
    world.update(document, balance_transactions=[*document["balance_transactions"], visible(moved)])
    world.emit(event, document)


def answer(world: World, document: Document) -> None:
    """Submit evidence, which puts the dispute under review. Raises StripeRefusal if it waits for no answer."""
    if not document["status"].endswith("needs_response"):
        raise invalid("This dispute is not waiting for an answer.", "dispute")
    details = {**document["evidence_details"], "has_evidence": True, "submission_count": 1}
    inquiry = document["status"].startswith("warning")
    world.update(
        document,
        "charge.dispute.updated",
        status="warning_under_review" if inquiry else "under_review",
        evidence_details={**details, "submission_method": "dashboard"},
    )


def close(world: World, document: Document, *, won: bool) -> None:
    """Close a dispute as won or lost. Idempotent. The dispute fee is returned in neither case."""
    if document["status"] in ("won", "lost", "warning_closed"):
        return
    inquiry = document["status"].startswith("warning")
    world.update(document, status="warning_closed" if inquiry else "won" if won else "lost", is_charge_refundable=False)
    world.emit("charge.dispute.closed", document)
    charge = world.get("charge", document["charge"])
    if inquiry:
        world.update(charge, "charge.updated", disputed=False)
    elif won:
        _move(world, document, document["amount"], 0, "charge.dispute.funds_reinstated")


def return_part(world: World, document: Document, amount: int) -> None:
    """Give a part of the withdrawn money back, in minor units of the dispute's currency."""
    _move(world, document, amount, 0, "charge.dispute.funds_reinstated")
