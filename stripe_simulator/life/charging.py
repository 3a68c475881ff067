"""An attempt to collect a payment intent: it succeeds, is declined, or waits for the reader or the bank.

The callers decide what that means for an invoice or a checkout.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from stripe_simulator.life import balance, elsewhere, methods
from stripe_simulator.objects import payments
from stripe_simulator.world import cards
from stripe_simulator.world.clock import DAY, as_datetime, duty
from stripe_simulator.world.rendering import visible
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


class Result(StrEnum):
    SUCCEEDED = "succeeded"
    PROCESSING = "processing"
    REQUIRES_ACTION = "requires_action"
    FAILED = "failed"
    ELSEWHERE = "elsewhere"


def attempt(
    world: World, intent: Document, method: Document, *, renewal: bool = False, authenticated: bool = False
) -> Result:
    """Charge this method once; return the result. `renewal`: the reader is not present to answer 3-D Secure."""
    if elsewhere.waits(method):
        elsewhere.request(world, intent, method)
        return Result.ELSEWHERE
    if method["type"] in ("sepa_debit", elsewhere.US_ACCOUNT):
        return _debit(world, intent, method)
    card = cards.card(method["_number"])
    decline = cards.EXPIRED if _has_expired(world, method) else card.renewal if renewal else card.first
    if renewal and card.always_authenticate and not authenticated:
        return _request_action(world, intent, method, cards.OFF_SESSION)
    if card.authenticate and not renewal and not authenticated:
        return _request_action(world, intent, method, None)
    if decline is not None:
        return _declined(world, intent, method, decline)
    charge = _charge(world, intent, method)
    return succeed(world, intent, charge)


def _has_expired(world: World, method: Document) -> bool:
    """Return whether a card has expired: it is valid to the end of the month printed on it."""
    today, card = as_datetime(world.now()), method["card"]
    return (card["exp_year"], card["exp_month"]) < (today.year, today.month)


def _charge(world: World, intent: Document, method: Document) -> Document:
    return payments.charge(world, intent, method, methods.mandate_for(world, method))


def _request_action(world: World, intent: Document, method: Document, error: cards.Decline | None) -> Result:
    action = {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": None, "url": f"{world.base_url}/authenticate/{intent['id']}"},
    }
    world.update(
        intent,
        status="requires_action",
        payment_method=method["id"],
        payment_method_types=[method["type"]],
        next_action=action,
        last_payment_error=last_error(error, None, method) if error else None,
    )
    world.emit("payment_intent.requires_action", intent)
    return Result.REQUIRES_ACTION


def fail_authentication(world: World, intent: Document, method: Document) -> Result:
    """Record that the reader failed 3-D Secure: the intent needs another payment method, and there is no charge."""
    world.update(
        intent,
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error=last_error(cards.AUTHENTICATION, None, method),
    )
    world.emit("payment_intent.payment_failed", intent)
    return Result.FAILED


def _debit(world: World, intent: Document, method: Document) -> Result:
    """Submit a bank debit, about which the bank answers `sepa_days` later; decline it without an active mandate."""
    mandate = world.store.get("mandate", methods.mandate_for(world, method)) or {}
    if mandate.get("status") == "inactive":
        return _declined(world, intent, method, cards.MANDATE)
    charge = world.add(_charge(world, intent, method))
    line = balance.for_charge(world, charge)
    world.update(charge, outcome=payments.outcome(None), balance_transaction=line["id"])
    world.update(
        intent,
        status="processing",
        payment_method=method["id"],
        payment_method_types=[method["type"]],
        latest_charge=charge["id"],
        next_action=None,
        last_payment_error=None,
    )
    world.emit("charge.pending", charge)
    world.emit("payment_intent.processing", intent)
    world.schedule(world.now() + world.policy.sepa_days * DAY, "settle", charge["id"])
    return Result.PROCESSING


def _declined(world: World, intent: Document, method: Document, decline: cards.Decline) -> Result:
    charge = world.add(_charge(world, intent, method))
    return fail(world, intent, charge, method, decline)


def fail(world: World, intent: Document, charge: Document, method: Document, decline: cards.Decline) -> Result:
    """Record that a charge failed; reverse its balance transaction if it has one."""
    back = balance.take_back(world, charge)["id"] if charge["balance_transaction"] else None
    world.update(
        charge,
        status="failed",
        paid=False,
        failure_balance_transaction=back,
        failure_code=decline.code,
        failure_message=decline.message,
        outcome=payments.outcome(decline),
    )
    world.update(
        intent,
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        latest_charge=charge["id"],
        last_payment_error=last_error(decline, charge, method),
    )
    world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)
    return Result.FAILED


def last_error(decline: cards.Decline, charge: Document | None, method: Document) -> dict[str, Any]:
    error: dict[str, Any] = {
        "code": decline.code,
        "message": decline.message,
        "payment_method": visible(method),
        "type": "card_error",
    }
    if charge:
        error["charge"] = charge["id"]
    if decline.decline_code:
        error["decline_code"] = decline.decline_code
    return error


def succeed(world: World, intent: Document, charge: Document) -> Result:
    """Record that a charge succeeded. With the policy `late_fees`, a card's balance transaction follows seconds later.

    It is then announced by charge.updated. A bank debit has its balance transaction already.
    """
    if world.store.find(charge["id"]) is None:
        world.add(charge)
    world.update(
        charge,
        status="succeeded",
        paid=True,
        captured=True,
        amount_captured=charge["amount"],
        outcome=payments.outcome(None),
    )
    if charge["balance_transaction"] is None:
        _write_fee(world, charge)
    world.update(
        intent,
        status="succeeded",
        amount_received=intent["amount"],
        payment_method=charge["payment_method"],
        payment_method_types=[charge["payment_method_details"]["type"]],
        latest_charge=charge["id"],
        next_action=None,
        last_payment_error=None,
    )
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.succeeded", intent)
    return Result.SUCCEEDED


def _write_fee(world: World, charge: Document) -> None:
    if world.policy.late_fees:
        world.schedule(world.now() + world.policy.late_fee_seconds, "fee", charge["id"])
    else:
        world.update(charge, balance_transaction=balance.for_charge(world, charge)["id"])


def cancel(world: World, intent: Document, reason: str) -> None:
    """Cancel an intent. Idempotent; does nothing to one that succeeded or is processing."""
    if intent["status"] not in ("succeeded", "canceled", "processing"):
        world.update(intent, status="canceled", canceled_at=world.now(), cancellation_reason=reason, next_action=None)
        world.emit("payment_intent.canceled", intent)


@duty("fee")
def write_late_fee(world: World, charge_id: str) -> None:
    charge = world.get("charge", charge_id)
    if charge["balance_transaction"] is None:
        world.update(charge, "charge.updated", balance_transaction=balance.for_charge(world, charge)["id"])
