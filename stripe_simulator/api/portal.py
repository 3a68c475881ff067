"""The hosted portal: its configurations and its sessions."""

from __future__ import annotations

from typing import Any

from stripe.params import billing_portal as sdk

from stripe_simulator.api import method_configurations
from stripe_simulator.api.customers import existing
from stripe_simulator.api.metadata import merged
from stripe_simulator.api.routing import route, simple_get
from stripe_simulator.world.errors import not_simulated
from stripe_simulator.world.rendering import page
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

simple_get("billing_portal/configurations", "billing_portal.configuration", sdk.ConfigurationRetrieveParams)

FLOWS = ("payment_method_update", "subscription_cancel")


def _features(given: Document) -> Document:
    cancel = given.get("subscription_cancel") or {}
    reason = cancel.get("cancellation_reason") or {}
    customer = given.get("customer_update") or {}
    method = given.get("payment_method_update") or {}
    return {
        "customer_update": {
            "allowed_updates": customer.get("allowed_updates") or [],
            "enabled": customer.get("enabled", False),
        },
        "invoice_history": {"enabled": (given.get("invoice_history") or {}).get("enabled", False)},
        "payment_method_update": {
            "enabled": method.get("enabled", False),
            "payment_method_configuration": method.get("payment_method_configuration") or None,
        },
        "subscription_cancel": {
            "cancellation_reason": {"enabled": reason.get("enabled", False), "options": reason.get("options") or []},
            "enabled": cancel.get("enabled", False),
            "mode": cancel.get("mode", "at_period_end"),
            "proration_behavior": cancel.get("proration_behavior", "none"),
        },
        "subscription_pause": {"duration": {"interval_options": [], "type": "indefinite"}, "enabled": False},
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": [],
            "enabled": False,
            "proration_behavior": "none",
            "schedule_at_period_end": {"conditions": []},
            "trial_update_behavior": "end_trial",
        },
    }


def _check(world: World, features: Document) -> None:
    methods = (features.get("payment_method_update") or {}).get("payment_method_configuration")
    if methods:
        param = "features[payment_method_update][payment_method_configuration]"
        method_configurations.check(world, methods, param)
    for name in ("subscription_update", "subscription_pause"):
        if (features.get(name) or {}).get("enabled"):
            raise not_simulated(f"the portal's {name}", f"features[{name}]")


@route(
    "POST",
    "billing_portal/configurations",
    sdk.ConfigurationCreateParams,
    known="business_profile default_return_url features metadata name",
)
def create_configuration(world: World, params: Document) -> Document:
    _check(world, params["features"])
    profile = {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None}
    document: dict[str, Any] = {
        "id": world.new_id("bpc"),
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": profile | (params.get("business_profile") or {}),
        "created": world.now(),
        "default_return_url": params.get("default_return_url"),
        "features": _features(params["features"]),
        "is_default": not world.store.all("billing_portal.configuration"),
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": merged({}, params.get("metadata")),
        "name": params.get("name"),
        "updated": world.now(),
    }
    return world.add(document)


@route(
    "GET",
    "billing_portal/configurations",
    sdk.ConfigurationListParams,
    known="active ending_before is_default limit starting_after",
)
def list_configurations(world: World, params: Document) -> Document:
    facts = {name: params[name] for name in ("active", "is_default") if name in params}
    found = world.store.where("billing_portal.configuration", **facts)
    return page(world, found, params, "/v1/billing_portal/configurations")


@route(
    "POST",
    "billing_portal/configurations/{id}",
    sdk.ConfigurationUpdateParams,
    known="active business_profile default_return_url features metadata name",
)
def update_configuration(world: World, params: Document, id: str) -> Document:
    document = world.get("billing_portal.configuration", id)
    changes: dict[str, Any] = {key: params[key] for key in ("active", "default_return_url", "name") if key in params}
    if params.get("features"):
        _check(world, params["features"])
        changes["features"] = document["features"] | {
            key: value for key, value in _features(params["features"]).items() if key in params["features"]
        }
    if "business_profile" in params:
        changes["business_profile"] = document["business_profile"] | params["business_profile"]
    if "metadata" in params:
        changes["metadata"] = merged(document["metadata"], params["metadata"])
    return world.update(document, updated=world.now(), **changes)


@route(
    "POST",
    "billing_portal/sessions",
    sdk.SessionCreateParams,
    known="configuration customer flow_data locale return_url",
)
def create_session(world: World, params: Document) -> Document:
    customer = existing(world, params.get("customer") or "", "customer")
    flow = params.get("flow_data") or {}
    if flow and flow["type"] not in FLOWS:
        raise not_simulated(f"the portal flow {flow['type']}", "flow_data[type]")
    configuration = _configuration(world, params.get("configuration"))
    id = world.new_id("bps")
    document = {
        "id": id,
        "object": "billing_portal.session",
        "configuration": configuration["id"],
        "created": world.now(),
        "customer": customer["id"],
        "customer_account": None,
        "flow": None,
        "livemode": False,
        "locale": params.get("locale"),
        "on_behalf_of": None,
        "return_url": params.get("return_url") or configuration["default_return_url"],
        "url": f"{world.base_url}/portal/{id}",
        "_flow": flow,
    }
    return world.add(document)


def _configuration(world: World, id: str | None) -> Document:
    """Return the requested configuration, or the account's default, created on first use as in a new account."""
    if id:
        return world.get("billing_portal.configuration", id, "configuration")
    known = world.store.where("billing_portal.configuration", is_default=True)
    on = {"enabled": True}
    everything = {"payment_method_update": on, "subscription_cancel": on, "invoice_history": on}
    return known[0] if known else create_configuration(world, {"features": everything})
