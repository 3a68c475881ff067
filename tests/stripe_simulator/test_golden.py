"""Compare payloads written by hand from Stripe's documentation with those of the simulator: keys and types.

None in a payload here means null at that time; a list is compared by its first element. A key that is here and not in
the simulator's payload is a difference from Stripe; extra keys are checked in test_shapes.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from stripe_simulator import Simulator
from tests.stripe_simulator.conftest import Give, Receiver
from tests.stripe_simulator.golden import (
    CHARGE,
    DISPUTE,
    EVENT,
    INTENT,
    INVOICE,
    INVOICE_PAYMENT,
    PAYOUT,
    REFUND,
    SESSION_OF_A_GIFT,
    SUBSCRIPTION,
    TEXT,
)

EXACT = ("active", "status", "type", "mode", "object", "payment_status", "billing_reason", "reason", "brand", "last4")


def differences(actual: Any, golden: Any, path: str = "") -> list[str]:
    if golden is None:
        return [] if actual is None else [f"{path}: {actual!r}, should be null"]
    if isinstance(golden, dict):
        if not isinstance(actual, dict):
            return [f"{path}: {actual!r}, should be an object"]
        missing = [f"{path}.{key}: missing" for key in golden if key not in actual]
        there = [key for key in golden if key in actual]
        return missing + [found for key in there for found in differences(actual[key], golden[key], f"{path}.{key}")]
    if isinstance(golden, list):
        if not isinstance(actual, list) or (golden and not actual):
            return [f"{path}: {actual!r}, should be a list with something in it"]
        return differences(actual[0], golden[0], f"{path}[0]") if golden else []
    if type(actual) is not type(golden):
        return [f"{path}: {actual!r}, should be a {type(golden).__name__}"]
    wrong = path.rpartition(".")[2] in EXACT and golden != TEXT and actual != golden
    return [f"{path}: {actual!r}, should be {golden!r}"] if wrong else []


@pytest.fixture
def events(give: Give, sim: Simulator, receiver: Receiver) -> dict[str, dict[str, Any]]:
    """Return the last event of each type after a gift, its refund, a monthly gift, a dispute and a payout."""
    give("payment")
    gift = {event["type"]: event for event in sim.events()}
    sim.refund(gift["charge.succeeded"]["data"]["object"], 400)
    give("subscription")
    sim.dispute(give("payment"))
    sim.advance(days=3)
    give("payment", amount=9000)
    sim.advance(days=3)
    sim.payout()
    sim.advance(days=2)
    assert sim.flush()
    return {event["type"]: event for event in receiver.events} | gift


@pytest.mark.parametrize(
    ("type", "golden"),
    [
        ("checkout.session.completed", SESSION_OF_A_GIFT),
        ("payment_intent.succeeded", INTENT),
        ("charge.succeeded", CHARGE),
        ("customer.subscription.updated", SUBSCRIPTION),
        ("invoice.paid", INVOICE),
        ("invoice_payment.paid", INVOICE_PAYMENT),
        ("refund.created", REFUND),
        ("charge.dispute.funds_withdrawn", DISPUTE),
        ("payout.reconciliation_completed", PAYOUT),
    ],
)
def test_an_event_is_as_stripe_documents_it(
    events: dict[str, dict[str, Any]], type: str, golden: dict[str, Any]
) -> None:
    event = events[type]
    assert not differences(event, EVENT)
    assert not differences(event["data"]["object"], golden)


def test_removed_fields_are_gone(events: dict[str, dict[str, Any]]) -> None:
    invoice, charge = events["invoice.paid"]["data"]["object"], events["charge.succeeded"]["data"]["object"]
    assert not {"subscription", "payment_intent", "charge", "paid", "tax", "payments"} & set(invoice)
    assert not {"invoice", "refunds"} & set(charge)
    assert not {"current_period_end", "plan"} & set(events["customer.subscription.updated"]["data"]["object"])
