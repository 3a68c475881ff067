"""Invoices, their lines, and invoice payments."""

from __future__ import annotations

import copy
from decimal import ROUND_HALF_UP, Decimal

from stripe_simulator.objects import nothing
from stripe_simulator.objects.billing import NO_TAX
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

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


def invoice(world: World, subscription: Document, customer: Document, reason: str) -> Document:
    """Return a draft invoice for the subscription's current period. `reason` is its billing_reason."""
    id, now = world.new_id("in"), world.now()
    lines = _lines(world, id, subscription)
    subtotal = sum(line["amount"] for line in lines)
    off = [each for line in lines for each in line["discount_amounts"]]
    total = subtotal - sum(each["amount"] for each in off)
    due = max(0, total + customer["balance"])
    first = reason == "subscription_create"
    return {
        "id": id,
        "object": "invoice",
        **NO_INVOICE_FIELDS,
        **dict.fromkeys(INVOICE_ZEROS, 0),
        **{name: [] for name in INVOICE_LISTS},
        **dict.fromkeys(INVOICE_TOTALS, total),
        # Of a draft: what it would take with the customer's balance of now.
        "amount_due": due,
        "amount_remaining": due,
        "starting_balance": customer["balance"],
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "discounts": list(subscription["discounts"]),
        "total_discount_amounts": off,
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
        "parent": _parent(subscription),
        "payment_settings": dict.fromkeys(("default_mandate", "payment_method_options", "payment_method_types")),
        # As at Stripe, the invoice's own period is the one before; the period that it pays for is on its line.
        "period_end": now,
        "period_start": now if first else subscription.get("_previous_start", now),
        "status": "draft",
        "status_transitions": dict.fromkeys(MOMENTS),
        "webhooks_delivered_at": now,
        "_subscription": subscription["id"],
    }


def _parent(subscription: Document) -> Document:
    details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


def _bill_to(customer: Document) -> Document:
    """Return a copy of the customer's details, as at Stripe: a later change of them does not change the invoice."""
    return {
        "customer": customer["id"],
        "customer_address": copy.deepcopy(customer["address"]),
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_tax_exempt": "none",
    }


def _lines(world: World, invoice: str, subscription: Document) -> list[Document]:
    """Return a line for each item, less the subscription's discounts, and the prorations that wait for this bill."""
    items = subscription["items"]["data"]
    lines = [_line(world, invoice, subscription, item, _amount(item)) for item in items]
    for line in lines:
        _shorten(line, subscription["cancel_at"])
    for discount in subscription["discounts"]:
        percent = world.get("discount", discount)["_percent"]
        for line in lines:
            line["discount_amounts"].append({"amount": line["amount"] * percent // 100, "discount": discount})
    for amount in subscription.get("_prorations", []):
        line = _line(world, invoice, subscription, items[0], amount)
        line["parent"]["subscription_item_details"]["proration"] = True
        lines.append(line)
    return lines


def _shorten(line: Document, cancel_at: int | None) -> None:
    """Bill only the days until the subscription is to end, where that is within the period that now begins.

    "If set during a future period, this will always cause a proration for that period": SubscriptionUpdateParams.
    """
    start, end = line["period"]["start"], line["period"]["end"]
    if cancel_at is not None and start < cancel_at < end:
        amount = round(line["amount"] * (cancel_at - start) / (end - start))
        line.update(amount=amount, subtotal=amount, period={"start": start, "end": cancel_at})


def _amount(item: Document) -> int:
    """Return what an item costs, in minor units; a price with fractions is rounded once it is multiplied."""
    price, quantity = item["price"], item["quantity"]
    if price["unit_amount"] is None:
        return int((Decimal(price["unit_amount_decimal"]) * quantity).to_integral_value(ROUND_HALF_UP))
    return int(price["unit_amount"] * quantity)


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
