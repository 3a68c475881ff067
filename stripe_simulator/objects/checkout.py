"""Checkout sessions, their line items, and the prices and products that are created with them."""

from __future__ import annotations

from typing import Any

from stripe_simulator.objects import nothing
from stripe_simulator.world.clock import DAY
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

NO_SESSION_FIELDS = nothing(
    """
    adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types amount_subtotal
    amount_total billing_address_collection branding_settings cancel_url client_reference_id client_secret consent
    consent_collection currency currency_conversion customer customer_account customer_creation customer_details
    customer_email invoice invoice_creation locale mode origin_context payment_intent payment_link
    payment_method_configuration_details permissions recovered_from saved_payment_method_options setup_intent
    shipping_address_collection shipping_cost submit_type subscription success_url wallet_options
    """
)


def session(world: World, **given: Any) -> Document:
    id = world.new_id("cs_test", 58)
    return {
        "id": id,
        "object": "checkout.session",
        **NO_SESSION_FIELDS,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "collected_information": {"business_name": None, "individual_name": None, "shipping_details": None},
        "created": world.now(),
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "discounts": [],
        "expires_at": world.now() + DAY,
        "livemode": False,
        "metadata": {},
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{world.base_url}/checkout/{id}",
        **given,
    }


def customer_details(email: str | None, name: str | None) -> Document:
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def product(world: World, name: str, description: str | None, metadata: dict[str, str]) -> Document:
    return {
        "id": world.new_id("prod", 14),
        "object": "product",
        "active": False,
        "created": world.now(),
        "default_price": None,
        "description": description,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": metadata,
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": world.now(),
        "url": None,
    }


def price(world: World, product: str, currency: str, unit_amount: int, recurring: Document | None) -> Document:
    interval = recurring and {
        "interval": recurring["interval"],
        "interval_count": recurring.get("interval_count", 1),
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    return {
        "id": world.new_id("price"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": world.now(),
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product,
        "recurring": interval,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": str(unit_amount),
    }


def line_item(world: World, price: Document, description: str, quantity: int) -> Document:
    total = price["unit_amount"] * quantity
    return {
        "id": world.new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": price["currency"],
        "description": description,
        "metadata": {},
        "price": price,
        "quantity": quantity,
    }
