"""Bank debits that end days later: settled or refused, and what that means for the checkout and the invoice."""

from __future__ import annotations

from stripe_simulator.life import charging, invoicing
from stripe_simulator.world import cards
from stripe_simulator.world.clock import duty
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


@duty("settle")
def settle_as_the_account_says(world: World, charge_id: str) -> None:
    charge = world.get("charge", charge_id)
    method = world.get("payment_method", charge["payment_method"])
    settle(world, charge, succeeds=cards.account(method["_number"]).fails is None)


def settle(world: World, charge: Document, *, succeeds: bool) -> None:
    """Safe to call twice: only a pending charge settles."""
    if charge["status"] != "pending":
        return
    world.unschedule("settle", charge["id"])
    intent = world.get("payment_intent", charge["payment_intent"])
    if succeeds:
        charging.succeed(world, intent, charge)
    else:
        method = world.get("payment_method", charge["payment_method"])
        charging.fail(world, intent, charge, method, cards.BANK)
    _tell_invoice(world, intent, succeeds)
    _tell_session(world, intent, succeeds)


def _tell_invoice(world: World, intent: Document, succeeds: bool) -> None:
    invoice = invoicing.of_intent(world, intent)
    if invoice is None:
        return
    if succeeds:
        invoicing.paid(world, invoice)
    else:
        invoicing.plan_retry(world, invoice)
        invoicing.failed(world, invoice)


def _tell_session(world: World, intent: Document, succeeds: bool) -> None:
    """Only the attempt that completed the session speaks for it, and only once."""
    sessions = world.store.where("checkout.session", _intent=intent["id"], status="complete", payment_status="unpaid")
    for session in sessions:
        if session.get("_settled"):
            continue
        world.update(session, payment_status="paid" if succeeds else "unpaid", _settled=True)
        outcome = "succeeded" if succeeds else "failed"
        world.emit(f"checkout.session.async_payment_{outcome}", session)
