"""The bank's answer about a debit, days later: paid or refused, with the effects on its checkout and its invoice."""

from __future__ import annotations

from stripe_simulator.life import charging, finalizing, invoicing
from stripe_simulator.world import cards
from stripe_simulator.world.clock import duty
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


@duty("settle")
def answer_as_the_account_says(world: World, charge_id: str) -> None:
    """Settle or fail a pending bank debit immediately, as its test IBAN says (world/cards.py).

    Does nothing if the charge is not pending. Raises cards.UnknownNumber.
    """
    charge = world.get("charge", charge_id)
    method = world.get("payment_method", charge["payment_method"])
    answer(world, charge, succeeds=cards.account(method["_number"]).fails is None)


def answer(world: World, charge: Document, *, succeeds: bool) -> None:
    """Record the bank's answer about a pending charge. Idempotent: does nothing to a charge that is not pending."""
    if charge["status"] != "pending":
        return
    world.unschedule("settle", charge["id"])
    intent = world.get("payment_intent", charge["payment_intent"])
    if succeeds:
        charging.succeed(world, intent, charge)
    else:
        method = world.get("payment_method", charge["payment_method"])
        charging.fail(world, intent, charge, method, cards.BANK)
    _update_invoice(world, intent, succeeds)
    _update_session(world, intent, succeeds)


def _update_invoice(world: World, intent: Document, succeeds: bool) -> None:
    invoice = finalizing.of_intent(world, intent)
    if invoice is None:
        return
    if succeeds:
        invoicing.paid(world, invoice)
    else:
        invoicing.plan_retry(world, invoice)
        invoicing.failed(world, invoice)


def _update_session(world: World, intent: Document, succeeds: bool) -> None:
    """Record the answer on the session that this intent completed. Only the first answer counts."""
    sessions = world.store.where("checkout.session", _intent=intent["id"], status="complete", payment_status="unpaid")
    for session in sessions:
        if session.get("_settled"):
            continue
        world.update(session, payment_status="paid" if succeeds else "unpaid", _settled=True)
        outcome = "succeeded" if succeeds else "failed"
        world.emit(f"checkout.session.async_payment_{outcome}", session)
