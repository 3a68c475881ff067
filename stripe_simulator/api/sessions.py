"""Checkout sessions: the parameters that are accepted, and Stripe's refusals of invalid ones."""

from __future__ import annotations

import re
from typing import Any

from stripe.params import checkout as sdk

from stripe_simulator.api.customers import existing
from stripe_simulator.api.line_items import line_item
from stripe_simulator.api.metadata import merged
from stripe_simulator.api.routing import route, simple_get
from stripe_simulator.life import checkout
from stripe_simulator.objects import checkout as objects
from stripe_simulator.server.forms import only
from stripe_simulator.world import money
from stripe_simulator.world.clock import DAY
from stripe_simulator.world.errors import invalid, not_simulated, required
from stripe_simulator.world.rendering import as_list, page
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

ECHOED = (
    "adaptive_pricing",
    "after_expiration",
    "allowed_payment_method_types",
    "billing_address_collection",
    "branding_settings",
    "cancel_url",
    "client_reference_id",
    "consent_collection",
    "customer_creation",
    "customer_email",
    "locale",
    "mode",
    "name_collection",
    "origin_context",
    "payment_method_collection",
    "payment_method_options",
    "phone_number_collection",
    "redirect_on_completion",
    "saved_payment_method_options",
    "submit_type",
    "success_url",
)
OTHERS = ("currency", "custom_text", "customer", "expires_at", "line_items", "metadata", "payment_intent_data")
KNOWN = " ".join((*ECHOED, *OTHERS, "subscription_data", "ui_mode", "excluded_payment_method_types"))
KNOWN += " automatic_tax invoice_creation allow_promotion_codes tax_id_collection"
SUBSCRIPTION_DATA = frozenset({"description", "metadata"})
INTENT_DATA = frozenset(
    {
        "description",
        "metadata",
        "receipt_email",
        "setup_future_usage",
        "statement_descriptor",
        "statement_descriptor_suffix",
    }
)
# Parameters that may be switched off explicitly, but not on.
OFF_ONLY = ("automatic_tax", "invoice_creation", "tax_id_collection")
HALF_AN_HOUR = 1800
EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]+", re.ASCII)
# The only currency of a payment method, and methods that subscriptions cannot be paid with.
FITS = {"bacs_debit": "gbp", "multibanco": "eur", "sepa_debit": "eur", "us_bank_account": "usd"}
ONCE_ONLY = ("multibanco",)

simple_get("checkout/sessions", "checkout.session", sdk.SessionRetrieveParams)


@route("POST", "checkout/sessions", sdk.SessionCreateParams, known=KNOWN)
def create(world: World, params: Document) -> Document:
    _check(world, params)
    items = [
        line_item(world, params, given, f"line_items[{index}]") for index, given in enumerate(params["line_items"])
    ]
    total = sum(item["amount_total"] for item in items)
    money.check_amount(total, items[0]["currency"], "line_items[0][price_data][unit_amount]")
    _check_currency(world, params, items[0]["currency"])
    document = objects.session(world, **_given(world, params), **_totals(items, total))
    document["payment_method_types"] = _types(world, params, items[0]["currency"])
    world.add(document)
    world.schedule(document["expires_at"], "expire", document["id"])
    return document


def _check(world: World, params: Document) -> None:
    """Raise Stripe's refusal for invalid parameters, or not_simulated."""
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_simulated("this ui_mode", "ui_mode")
    mode = params.get("mode")
    if not mode:
        raise required("mode")
    if mode == "setup":
        raise not_simulated("setup mode", "mode")
    _check_simulated(params)
    _check_required(world, params)
    _check_mode(params, mode)
    if len(params.get("client_reference_id") or "") > 200:
        raise invalid("client_reference_id has at most 200 characters.", "client_reference_id")
    _check_email(params.get("customer_email"))
    _check_times(world, params)
    _check_urls(params)


def _check_email(email: str | None) -> None:
    """Raise Stripe's refusal of an address that is not properly formatted or has characters that are not allowed.

    Stripe's rule is not public (https://docs.stripe.com/error-codes#email-invalid); this one is stricter than ours.
    """
    if email is not None and not EMAIL.fullmatch(email):
        raise invalid("Invalid email address (simulated).", "customer_email", "email_invalid")


def _check_simulated(params: Document) -> None:
    only(params.get("subscription_data") or {}, SUBSCRIPTION_DATA, "subscription_data")
    only(params.get("payment_intent_data") or {}, INTENT_DATA, "payment_intent_data")
    on = [name for name in OFF_ONLY if (params.get(name) or {}).get("enabled")]
    on += ["allow_promotion_codes"] if params.get("allow_promotion_codes") else []
    if on:
        raise not_simulated(on[0], on[0])


def _check_required(world: World, params: Document) -> None:
    if not params.get("line_items"):
        raise required("line_items")
    if not params.get("success_url"):
        raise required("success_url")
    if params.get("customer") and params.get("customer_email"):
        raise invalid("You may only specify one of these parameters: customer, customer_email.", "customer")
    if params.get("customer"):
        existing(world, params["customer"], "customer")


def _check_mode(params: Document, mode: str) -> None:
    other = "subscription_data" if mode == "payment" else "payment_intent_data"
    if params.get(other):
        raise invalid(f"You can not pass `{other}` in `{mode}` mode.", other)
    if mode == "subscription" and params.get("customer_creation"):
        raise invalid("`customer_creation` can only be used in `payment` mode.", "customer_creation")


def _check_currency(world: World, params: Document, currency: str) -> None:
    """Raise Stripe's refusal of a subscription in another currency than those of its customer that go on."""
    gone = ("canceled", "incomplete_expired")
    known = world.store.where("subscription", customer=params["customer"]) if params.get("customer") else []
    others = {each["currency"] for each in known if each["status"] not in gone} - {currency}
    if params["mode"] == "subscription" and others:
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has an active subscription with "
            f"currency {min(others)}."
        )


def _check_times(world: World, params: Document) -> None:
    expires_at = params.get("expires_at")
    if expires_at is None:
        return
    now = world.now()
    if not now + HALF_AN_HOUR - 5 <= expires_at <= now + DAY + 5:
        raise invalid("The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", "expires_at")


def _check_urls(params: Document) -> None:
    for name in ("success_url", "cancel_url"):
        url = params.get(name)
        if url and not url.startswith(("http://", "https://")):
            raise invalid("Not a valid URL", name, "url_invalid")
    email = params.get("customer_email")
    if email is not None and ("@" not in email or " " in email):
        raise invalid(f"Invalid email address: {email}", "customer_email", "email_invalid")


def _given(world: World, params: Document) -> dict[str, Any]:
    """Return the fields of the session that the parameters decide."""
    given: dict[str, Any] = {key: params[key] for key in ECHOED if key in params}
    if params["mode"] == "payment":
        given.setdefault("customer_creation", "if_required")
    else:
        given["payment_method_collection"] = params.get("payment_method_collection", "always")
    given["metadata"] = merged({}, params.get("metadata"))
    given["custom_text"] = {
        key: (params.get("custom_text") or {}).get(key) or None
        for key in ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    }
    for key in ("customer", "expires_at"):
        if params.get(key):
            given[key] = params[key]
    known = world.store.get("customer", params.get("customer")) or {}
    email = params.get("customer_email") or known.get("email")
    given["customer_details"] = objects.customer_details(email, known.get("name")) if email else None
    for key in ("subscription_data", "payment_intent_data"):
        data = dict(params.get(key) or {})
        data["metadata"] = merged({}, data.get("metadata"))
        given[f"_{key}"] = data
    return given


def _totals(items: list[Document], total: int) -> dict[str, Any]:
    if len({item["currency"] for item in items}) > 1:
        raise invalid("All line items must have the same currency.", "line_items")
    return {"amount_subtotal": total, "amount_total": total, "currency": items[0]["currency"], "_line_items": items}


def _types(world: World, params: Document, currency: str) -> list[str]:
    """Return the methods that are switched on and fit, less those that the parameters filter out.

    Link, which pays with a card or an account that it keeps, is offered inside the card's form and not named.
    """
    on = [name for name in world.policy.methods if name != "link" and FITS.get(name, currency) == currency]
    if params["mode"] == "subscription":
        on = [name for name in on if name not in ONCE_ONLY]
    allowed = params.get("allowed_payment_method_types") or on
    excluded = params.get("excluded_payment_method_types") or []
    types = [name for name in on if name in allowed and name not in excluded]
    if not types:
        raise invalid(
            "No payment method types are available for this Checkout Session.", "allowed_payment_method_types"
        )
    return types


@route(
    "GET",
    "checkout/sessions",
    sdk.SessionListParams,
    known="created customer ending_before limit payment_intent starting_after status subscription",
)
def list_sessions(world: World, params: Document) -> Document:
    keys = ("customer", "payment_intent", "status", "subscription")
    facts = {key: params[key] for key in keys if key in params}
    return page(world, world.store.where("checkout.session", **facts), params, "/v1/checkout/sessions")


@route("GET", "checkout/sessions/{id}/line_items", sdk.SessionListLineItemsParams)
def line_items(world: World, params: Document, id: str) -> Document:
    items = world.get("checkout.session", id)["_line_items"]
    return as_list(world, items, f"/v1/checkout/sessions/{id}/line_items")


@route("POST", "checkout/sessions/{id}/expire", sdk.SessionExpireParams)
def expire(world: World, params: Document, id: str) -> Document:
    document = world.get("checkout.session", id)
    if document["status"] != "open":
        raise invalid(f"Only open Checkout Sessions can be expired. This one is {document['status']}.")
    world.unschedule("expire", id)
    checkout.expire(world, id)
    return document
