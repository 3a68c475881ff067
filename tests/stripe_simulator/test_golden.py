"""Payloads written by hand from Stripe's documentation, compared with what the simulator sends: keys and types.

None in a payload here means null at that moment; a list is compared by its first element. What these say and the
simulator does not is a difference from Stripe; extra keys are test_shapes.py's matter.
"""

from __future__ import annotations

from typing import Any

import pytest

from stripe_simulator import Simulator
from tests.stripe_simulator.conftest import Give, Receiver

ID, TEXT, TIME, SUM, YES, NO = "id_", "text", 1_760_000_000, 1000, True, False

SESSION_OF_A_GIFT = {
    "id": ID,
    "object": "checkout.session",
    "amount_subtotal": SUM,
    "amount_total": SUM,
    "cancel_url": TEXT,
    "client_reference_id": TEXT,
    "created": TIME,
    "currency": TEXT,
    "customer": None,
    "customer_creation": TEXT,
    "customer_details": {"address": None, "email": TEXT, "name": TEXT, "phone": None, "tax_ids": []},
    "expires_at": TIME,
    "invoice": None,
    "livemode": NO,
    "metadata": {"checkout": TEXT},
    "mode": "payment",
    "payment_intent": ID,
    "payment_method_types": [TEXT],
    "payment_status": "paid",
    "setup_intent": None,
    "status": "complete",
    "subscription": None,
    "success_url": TEXT,
    "total_details": {"amount_discount": 0},
    "ui_mode": "hosted_page",
    "url": None,
}
INTENT = {
    "id": ID,
    "object": "payment_intent",
    "amount": SUM,
    "amount_capturable": 0,
    "amount_received": SUM,
    "automatic_payment_methods": None,
    "canceled_at": None,
    "cancellation_reason": None,
    "capture_method": TEXT,
    "client_secret": TEXT,
    "confirmation_method": "automatic",
    "created": TIME,
    "currency": TEXT,
    "customer": None,
    "description": None,
    "last_payment_error": None,
    "latest_charge": ID,
    "livemode": NO,
    "metadata": {"checkout": TEXT},
    "next_action": None,
    "payment_method": ID,
    "payment_method_options": {},
    "payment_method_types": [TEXT],
    "processing": None,
    "setup_future_usage": None,
    "status": "succeeded",
}
CARD = {
    "amount_authorized": SUM,
    "authorization_code": TEXT,
    "brand": "visa",
    "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
    "country": TEXT,
    "exp_month": 12,
    "exp_year": 2030,
    "fingerprint": TEXT,
    "funding": "credit",
    "installments": None,
    "last4": "4242",
    "mandate": None,
    "network": "visa",
    "network_token": {"used": NO},
    "three_d_secure": None,
    "wallet": None,
}
CHARGE = {
    "id": ID,
    "object": "charge",
    "amount": SUM,
    "amount_captured": SUM,
    "amount_refunded": 0,
    "balance_transaction": ID,
    "billing_details": {"address": {"country": None}, "email": TEXT, "name": TEXT},
    "captured": YES,
    "created": TIME,
    "currency": TEXT,
    "customer": None,
    "disputed": NO,
    "failure_code": None,
    "failure_message": None,
    "livemode": NO,
    "metadata": {"checkout": TEXT},
    "outcome": {"network_status": "approved_by_network", "reason": None, "seller_message": TEXT, "type": "authorized"},
    "paid": YES,
    "payment_intent": ID,
    "payment_method": ID,
    "payment_method_details": {"card": CARD, "type": "card"},
    "receipt_url": TEXT,
    "refunded": NO,
    "status": "succeeded",
}
PRICE = {
    "id": ID,
    "object": "price",
    "active": NO,
    "billing_scheme": "per_unit",
    "currency": TEXT,
    "product": ID,
    "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
    "type": "recurring",
    "unit_amount": SUM,
    "unit_amount_decimal": TEXT,
}
SUBSCRIPTION = {
    "id": ID,
    "object": "subscription",
    "billing_cycle_anchor": TIME,
    "billing_mode": {"flexible": {"proration_discounts": TEXT}, "type": "flexible"},
    "cancel_at": None,
    "cancel_at_period_end": NO,
    "canceled_at": None,
    "cancellation_details": {"comment": None, "feedback": None, "reason": None},
    "collection_method": "charge_automatically",
    "created": TIME,
    "currency": TEXT,
    "customer": ID,
    "default_payment_method": ID,
    "ended_at": None,
    "items": {
        "object": "list",
        "data": [
            {
                "id": ID,
                "object": "subscription_item",
                "current_period_end": TIME,
                "current_period_start": TIME,
                "price": PRICE,
                "quantity": 1,
                "subscription": ID,
            }
        ],
        "has_more": NO,
        "url": TEXT,
    },
    "latest_invoice": ID,
    "livemode": NO,
    "metadata": {"checkout": TEXT},
    "pause_collection": None,
    "start_date": TIME,
    "status": "active",
    "trial_end": None,
}
LINE = {
    "id": ID,
    "object": "line_item",
    "amount": SUM,
    "currency": TEXT,
    "description": TEXT,
    "invoice": ID,
    "metadata": {"checkout": TEXT},
    "parent": {
        "invoice_item_details": None,
        "type": "subscription_item_details",
        "subscription_item_details": {
            "invoice_item": None,
            "proration": NO,
            "subscription": ID,
            "subscription_item": ID,
            "proration_details": {"credited_items": None},
        },
    },
    "period": {"end": TIME, "start": TIME},
    "pricing": {"price_details": {"price": ID, "product": ID}, "type": "price_details", "unit_amount_decimal": TEXT},
    "quantity": 1,
}
INVOICE = {
    "id": ID,
    "object": "invoice",
    "amount_due": SUM,
    "amount_paid": SUM,
    "amount_remaining": 0,
    "attempt_count": 1,
    "attempted": YES,
    "auto_advance": NO,
    "billing_reason": "subscription_create",
    "collection_method": "charge_automatically",
    "created": TIME,
    "currency": TEXT,
    "customer": ID,
    "customer_email": TEXT,
    "effective_at": TIME,
    "hosted_invoice_url": TEXT,
    "invoice_pdf": TEXT,
    "lines": {"object": "list", "data": [LINE], "has_more": NO, "url": TEXT},
    "livemode": NO,
    "metadata": {},
    "next_payment_attempt": None,
    "number": TEXT,
    "parent": {
        "quote_details": None,
        "type": "subscription_details",
        "subscription_details": {"metadata": {"checkout": TEXT}, "subscription": ID},
    },
    "period_end": TIME,
    "period_start": TIME,
    "status": "paid",
    "status_transitions": {"finalized_at": TIME, "marked_uncollectible_at": None, "paid_at": TIME, "voided_at": None},
    "subtotal": SUM,
    "total": SUM,
    "total_taxes": [],
}
INVOICE_PAYMENT = {
    "id": ID,
    "object": "invoice_payment",
    "amount_paid": SUM,
    "amount_requested": SUM,
    "created": TIME,
    "currency": TEXT,
    "invoice": ID,
    "is_default": YES,
    "livemode": NO,
    "status": "paid",
    "payment": {"payment_intent": ID, "type": "payment_intent"},
    "status_transitions": {"canceled_at": None, "paid_at": TIME},
}
REFUND = {
    "id": ID,
    "object": "refund",
    "amount": SUM,
    "balance_transaction": ID,
    "charge": ID,
    "created": TIME,
    "currency": TEXT,
    "destination_details": {"type": "card"},
    "metadata": {},
    "payment_intent": ID,
    "reason": None,
    "status": "succeeded",
}
DISPUTE = {
    "id": ID,
    "object": "dispute",
    "amount": SUM,
    "balance_transactions": [{"object": "balance_transaction", "fee": SUM}],
    "charge": ID,
    "created": TIME,
    "currency": TEXT,
    "is_charge_refundable": NO,
    "livemode": NO,
    "payment_intent": ID,
    "evidence_details": {"due_by": TIME, "has_evidence": NO, "past_due": NO, "submission_count": 0},
    "reason": "fraudulent",
    "status": "needs_response",
}
PAYOUT = {
    "id": ID,
    "object": "payout",
    "amount": SUM,
    "arrival_date": TIME,
    "automatic": YES,
    "balance_transaction": ID,
    "created": TIME,
    "currency": TEXT,
    "failure_code": None,
    "livemode": NO,
    "method": "standard",
    "reconciliation_status": "completed",
    "status": "paid",
    "type": "bank_account",
}

EVENT = {
    "id": ID,
    "object": "event",
    "api_version": TEXT,
    "created": TIME,
    "data": {"object": {"id": ID}},
    "livemode": NO,
    "pending_webhooks": 1,
    "request": {"id": None, "idempotency_key": None},
    "type": TEXT,
}

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
def told(give: Give, sim: Simulator, receiver: Receiver) -> dict[str, dict[str, Any]]:
    """The last event of each type after a gift, its refund, a monthly gift, a dispute and a payout."""
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
def test_an_event_is_as_stripe_documents_it(told: dict[str, dict[str, Any]], type: str, golden: dict[str, Any]) -> None:
    event = told[type]
    assert not differences(event, EVENT)
    assert not differences(event["data"]["object"], golden)


def test_removed_fields_are_gone(told: dict[str, dict[str, Any]]) -> None:
    invoice, charge = told["invoice.paid"]["data"]["object"], told["charge.succeeded"]["data"]["object"]
    assert not {"subscription", "payment_intent", "charge", "paid", "tax", "payments"} & set(invoice)
    assert not {"invoice", "refunds"} & set(charge)
    assert not {"current_period_end", "plan"} & set(told["customer.subscription.updated"]["data"]["object"])
