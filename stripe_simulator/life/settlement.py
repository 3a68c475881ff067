"""The answer about a payment, days later, with its effects on checkout and invoice: the bank's, or that of a reader
who pays a voucher or confirms small deposits (elsewhere.py), or never does.
"""

from __future__ import annotations

from stripe_simulator.life import charging, elsewhere, finalizing, invoicing, subscriptions
from stripe_simulator.objects import payments
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


def complete(world: World, intent: Document) -> None:
    """Let the reader pay the voucher or confirm the deposits. Does nothing to an intent that waits for neither."""
    method = world.store.get("payment_method", intent["payment_method"])
    if intent["status"] != "requires_action" or method is None or not elsewhere.waits(method):
        return
    world.unschedule("lapse", intent["id"])
    if method["type"] == elsewhere.VOUCHER:
        charging.succeed(world, intent, payments.charge(world, intent, method, None))
        _update_session(world, intent, True)
        return
    world.update(method, _verified=True)
    charging.attempt(world, intent, method)
    invoice = finalizing.of_intent(world, intent)
    if invoice is not None:
        subscription = finalizing.subscription_of(world, invoice)
        world.update(subscription, "customer.subscription.updated", status="active")
        subscriptions.schedule_renewal(world, subscription)


@duty("lapse")
def lapse(world: World, intent_id: str) -> None:
    """End a payment that nobody made: a voucher's intent fails, that of unconfirmed deposits is canceled."""
    intent = world.get("payment_intent", intent_id)
    if intent["status"] != "requires_action":
        return
    method = world.get("payment_method", intent["payment_method"])
    if method["type"] == elsewhere.VOUCHER:
        error = charging.last_error(cards.LAPSED, None, method)
        world.update(intent, status="requires_payment_method", next_action=None, last_payment_error=error)
        world.update(intent, "payment_intent.payment_failed", payment_method=None)
        _update_session(world, intent, False)
        return
    invoice = finalizing.of_intent(world, intent)
    if invoice is None:
        charging.cancel(world, intent, "abandoned")
    else:
        invoicing.void(world, invoice)
        subscription = finalizing.subscription_of(world, invoice)
        world.update(subscription, "customer.subscription.updated", status="incomplete_expired")


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
