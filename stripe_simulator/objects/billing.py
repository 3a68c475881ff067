"""Subscriptions and their items, invoices and their lines, invoice payments."""

from __future__ import annotations

import copy
from typing import Any

from stripe_simulator.objects import nothing
from stripe_simulator.world.clock import period_start
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

NO_SUBSCRIPTION_FIELDS = nothing(
    """
    application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at canceled_at
    customer_account days_until_due default_payment_method default_source description ended_at items latest_invoice
    next_pending_invoice_item_invoice on_behalf_of pause_collection pending_invoice_item_interval
    pending_setup_intent pending_update schedule test_clock transfer_data trial_end trial_start
    """
)

NO_INVOICE_FIELDS = nothing(
    """
    account_tax_ids application custom_fields customer_account customer_shipping default_payment_method
    default_source description due_date effective_at ending_balance footer from_invoice hosted_invoice_url
    invoice_pdf last_finalization_error latest_revision number on_behalf_of receipt_number rendering shipping_cost
    shipping_details statement_descriptor test_clock
    """
)

INVOICE_ZEROS = (
    "amount_overpaid",
    "amount_paid",
    "amount_shipping",
    "attempt_count",
    "post_payment_credit_notes_amount",
    "pre_payment_credit_notes_amount",
    "starting_balance",
)
INVOICE_LISTS = (
    "customer_tax_ids",
    "default_tax_rates",
    "discounts",
    "total_discount_amounts",
    "total_pretax_credit_amounts",
    "total_taxes",
)
INVOICE_TOTALS = (
    "amount_due",
    "amount_remaining",
    "subtotal",
    "subtotal_excluding_tax",
    "total",
    "total_excluding_tax",
)
MOMENTS = ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
NO_TAX: Document = {"disabled_reason": None, "enabled": False, "liability": None}


def subscription(world: World, customer: str, currency: str, **given: Any) -> Document:
    now = world.now()
    return {
        "id": world.new_id("sub"),
        "object": "subscription",
        **NO_SUBSCRIPTION_FIELDS,
        "automatic_tax": dict(NO_TAX),
        "billing_cycle_anchor": now,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": customer,
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "livemode": False,
        "metadata": {},
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": now,
        "status": "incomplete",
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "_cycle": 0,
        "_recovery": 0,
        **given,
    }


def subscription_items(world: World, subscription: Document, price: Document, quantity: int) -> Document:
    recurring, anchor = price["recurring"], subscription["billing_cycle_anchor"]
    item = {
        "id": world.new_id("si", 14),
        "object": "subscription_item",
        "created": world.now(),
        "current_period_end": period_start(anchor, recurring["interval"], recurring["interval_count"], 1),
        "current_period_start": anchor,
        "discounts": [],
        "metadata": {},
        "plan": plan(price),
        "price": price,
        "quantity": quantity,
        "subscription": subscription["id"],
        "tax_rates": [],
    }
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    return {"object": "list", "data": [item], "has_more": False, "url": url}


def plan(price: Document) -> Document:
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": None,
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def invoice(world: World, subscription: Document, customer: Document, reason: str) -> Document:
    """A draft for the subscription's current period."""
    item = subscription["items"]["data"][0]
    amount = item["price"]["unit_amount"] * item["quantity"]
    id, now = world.new_id("in"), world.now()
    lines = [_line(world, id, subscription, item, amount)]
    first = reason == "subscription_create"
    return {
        "id": id,
        "object": "invoice",
        **NO_INVOICE_FIELDS,
        **dict.fromkeys(INVOICE_ZEROS, 0),
        **{name: [] for name in INVOICE_LISTS},
        **dict.fromkeys(INVOICE_TOTALS, amount),
        **_bill_to(customer),
        "account_country": "PL",
        "account_name": "Simulated newsroom",
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {**NO_TAX, "provider": None, "status": None},
        "automatically_finalizes_at": None if first else now + world.policy.draft_seconds,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": subscription["currency"],
        "issuer": {"type": "self"},
        "lines": {"object": "list", "data": lines, "has_more": False, "url": f"/v1/invoices/{id}/lines"},
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None if first else now + world.policy.draft_seconds,
        "parent": {
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]),
                "subscription": subscription["id"],
            },
            "type": "subscription_details",
        },
        "payment_settings": dict.fromkeys(("default_mandate", "payment_method_options", "payment_method_types")),
        # The invoice's own period looks back; the period that is being paid for is on its line.
        "period_end": now,
        "period_start": now if first else subscription.get("_previous_start", now),
        "status": "draft",
        "status_transitions": dict.fromkeys(MOMENTS),
        "webhooks_delivered_at": now,
        "_subscription": subscription["id"],
    }


def _bill_to(customer: Document) -> Document:
    """Copied when the invoice is made, as Stripe does: a later change of address leaves it alone."""
    return {
        "customer": customer["id"],
        "customer_address": copy.deepcopy(customer["address"]),
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_tax_exempt": "none",
    }


def _line(world: World, invoice: str, subscription: Document, item: Document, amount: int) -> Document:
    price = item["price"]
    return {
        "id": world.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": subscription["currency"],
        "description": f"{item['quantity']} × {subscription.get('_title') or 'Subscription'}",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": dict(subscription["metadata"]),
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
            "type": "subscription_item_details",
        },
        "period": {"end": item["current_period_end"], "start": item["current_period_start"]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
        "subtotal": amount,
        "taxes": [],
    }


def invoice_payment(world: World, invoice: Document, intent: Document) -> Document:
    return {
        "id": world.new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": world.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
