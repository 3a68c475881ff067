"""Payment intents, charges, refunds, disputes and payouts."""

from __future__ import annotations

import copy
from typing import Any

from stripe_simulator.objects import nothing
from stripe_simulator.world import cards
from stripe_simulator.world.clock import DAY
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

NO_INTENT_FIELDS = nothing(
    """
    application application_fee_amount automatic_payment_methods canceled_at cancellation_reason customer
    customer_account description excluded_payment_method_types last_payment_error latest_charge next_action
    on_behalf_of payment_method payment_method_configuration_details processing receipt_email review
    setup_future_usage shipping source statement_descriptor statement_descriptor_suffix transfer_data transfer_group
    """
)

NO_CHARGE_FIELDS = nothing(
    """
    application application_fee application_fee_amount balance_transaction failure_balance_transaction failure_code
    failure_message on_behalf_of outcome receipt_number review shipping source source_transfer statement_descriptor
    statement_descriptor_suffix transfer_data transfer_group
    """
)

NO_PAYOUT_FIELDS = nothing(
    """
    application_fee application_fee_amount balance_transaction destination failure_balance_transaction failure_code
    failure_message original_payout payout_method reversed_by statement_descriptor
    """
)

DEBIT_FIELDS = ("bank_code", "branch_code", "country", "fingerprint", "last4")
US_ACCOUNT_FIELDS = ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number")
CARD_FIELDS = (
    "brand",
    "checks",
    "country",
    "exp_month",
    "exp_year",
    "fingerprint",
    "funding",
    "last4",
    "regulated_status",
    "wallet",
)


def payment_intent(world: World, amount: int, currency: str, **given: Any) -> Document:
    id = world.new_id("pi")
    return {
        "id": id,
        "object": "payment_intent",
        **NO_INTENT_FIELDS,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "client_secret": f"{id}_secret_{world.new_id('x')[2:]}",
        "confirmation_method": "automatic",
        "created": world.now(),
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        **given,
    }


def charge(world: World, intent: Document, method: Document, mandate: str | None) -> Document:
    """Return a charge of the whole intent, with a copy of the intent's metadata, as at Stripe."""
    id = world.new_id("ch" if method["type"] == "card" else "py")
    return {
        "id": id,
        "object": "charge",
        **NO_CHARGE_FIELDS,
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": copy.deepcopy(method["billing_details"]),
        "calculated_statement_descriptor": "SIMULATED",
        "captured": False,
        "created": world.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(world, method, intent["amount"], mandate),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_url": f"{world.base_url}/receipts/{id}",
        "refunded": False,
        "status": "pending",
    }


def _details(world: World, method: Document, amount: int, mandate: str | None) -> Document:
    """Return the details of the payment method as a charge shows them."""
    if method["type"] == "sepa_debit":
        copied = {name: method["sepa_debit"][name] for name in DEBIT_FIELDS}
        return {"type": "sepa_debit", "sepa_debit": {**copied, "expected_debit_date": None, "mandate": mandate}}
    if method["type"] == "us_bank_account":
        copied = {name: method["us_bank_account"][name] for name in US_ACCOUNT_FIELDS}
        about_debit = {"expected_debit_date": None, "mandate": mandate, "payment_reference": None}
        return {"type": "us_bank_account", "us_bank_account": {**copied, **about_debit}}
    if method["type"] == "multibanco":
        return {"type": "multibanco", "multibanco": {"entity": "12345", "reference": "123456789"}}
    copied = {name: copy.deepcopy(method["card"][name]) for name in CARD_FIELDS}
    more = {
        "amount_authorized": amount,
        "authorization_code": "123456",
        "installments": None,
        "mandate": None,
        "network": method["card"]["brand"],
        "network_token": {"used": False},
        "network_transaction_id": world.new_id("x", 15)[2:],
        "three_d_secure": None,
    }
    return {"type": "card", "card": {**copied, **more}}


def outcome(decline: cards.Decline | None) -> Document:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": (decline.decline_code or decline.code) if decline else None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "The bank did not return any further details with this decline."
        if decline
        else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }


def refund(world: World, charge: Document, amount: int, **given: Any) -> Document:
    kind = charge["payment_method_details"]["type"]
    details: Document = {"type": "card", "card": {"reference_status": "pending", "type": "refund"}}
    return {
        "id": world.new_id("re" if kind == "card" else "pyr"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": details if kind == "card" else {"type": "sepa_bank_transfer"},
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
        **given,
    }


def fraud_warning(world: World, charge: Document, kind: str) -> Document:
    return {
        "id": world.new_id("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": charge["id"],
        "created": world.now(),
        "fraud_type": kind,
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }


def dispute(world: World, charge: Document, amount: int, reason: str, status: str) -> Document:
    kind = charge["payment_method_details"]["type"]
    details: Document = {"type": kind}
    if kind == "card":
        brand = charge["payment_method_details"]["card"]["brand"]
        details["card"] = {"brand": brand, "case_type": "chargeback", "network": brand, "network_reason_code": "10.4"}
    return {
        "id": world.new_id("dp" if kind == "card" else "pdp"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": world.now() + 7 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": status.startswith("warning"),
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": details,
        "reason": reason,
        "status": status,
    }


def payout(world: World, amount: int, currency: str) -> Document:
    return {
        "id": world.new_id("po"),
        "object": "payout",
        **NO_PAYOUT_FIELDS,
        "amount": amount,
        "arrival_date": world.now() + DAY,
        "automatic": True,
        "created": world.now(),
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": "in_progress",
        "source_type": "card",
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }
