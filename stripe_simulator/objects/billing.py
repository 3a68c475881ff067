"""Subscriptions, their items and plans."""

from __future__ import annotations

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
