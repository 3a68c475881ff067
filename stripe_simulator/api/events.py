"""Events of the last thirty days, and the webhook endpoints that receive them."""

from __future__ import annotations

from typing import Any

from stripe import params as sdk

from stripe_simulator.api.metadata import merged
from stripe_simulator.api.routing import route, simple_get
from stripe_simulator.world.clock import DAY
from stripe_simulator.world.errors import invalid, missing, not_simulated
from stripe_simulator.world.rendering import page
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

RETENTION = 30 * DAY
MOST_TYPES = 20


def _kept(world: World) -> list[Document]:
    oldest = world.now() - RETENTION
    return [event for event in world.store.all("event") if event["created"] >= oldest]


@route("GET", "events/{id}", sdk.EventRetrieveParams)
def retrieve(world: World, params: Document, id: str) -> Document:
    event = world.get("event", id)
    if event["created"] < world.now() - RETENTION:
        raise missing("event", id)
    return event


@route(
    "GET",
    "events",
    sdk.EventListParams,
    known="created delivery_success ending_before limit starting_after type types",
)
def list_events(world: World, params: Document) -> Document:
    types = params.get("types")
    if types and len(types) > MOST_TYPES:
        raise invalid(f"You may pass at most {MOST_TYPES} types.", "types")
    if types and params.get("type"):
        raise invalid("You may pass only one of type and types.", "type")
    wanted = types or ([params["type"]] if params.get("type") else None)
    if wanted and any("*" in type for type in wanted):
        raise not_simulated("wildcards in event types", "type")
    found = [event for event in _kept(world) if wanted is None or event["type"] in wanted]
    if "delivery_success" in params:
        found = [event for event in found if delivered(event) is params["delivery_success"]]
    return page(world, found, params, "/v1/events")


def delivered(event: Document) -> bool:
    return all(delivery["state"] == "delivered" for delivery in event["_deliveries"])


simple_get("webhook_endpoints", "webhook_endpoint", sdk.WebhookEndpointRetrieveParams)


@route("GET", "webhook_endpoints", sdk.WebhookEndpointListParams, known="ending_before limit starting_after")
def list_endpoints(world: World, params: Document) -> Document:
    return page(world, world.store.all("webhook_endpoint"), params, "/v1/webhook_endpoints")


@route(
    "POST",
    "webhook_endpoints",
    sdk.WebhookEndpointCreateParams,
    known="api_version description enabled_events metadata url",
)
def create_endpoint(world: World, params: Document) -> Document:
    """Create an endpoint. Its secret is returned only here."""
    secret = world.new_id("whsec_simulator", 24)
    metadata = merged({}, params.get("metadata"))
    document = world.add(endpoint(world, params["url"], secret, params["enabled_events"], metadata=metadata))
    changes = {key: params[key] for key in ("api_version", "description") if key in params}
    world.update(document, **changes)
    return {**document, "secret": secret}


def endpoint(world: World, url: str, secret: str, enabled_events: list[str], **given: object) -> Document:
    return {
        "id": world.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": world.policy.api_version,
        "application": None,
        "created": world.now(),
        "description": None,
        "enabled_events": enabled_events,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
        "_secret": secret,
        **given,
    }


@route(
    "POST",
    "webhook_endpoints/{id}",
    sdk.WebhookEndpointUpdateParams,
    known="description disabled enabled_events metadata url",
)
def update_endpoint(world: World, params: Document, id: str) -> Document:
    document = world.get("webhook_endpoint", id)
    changes: dict[str, Any] = {key: params[key] for key in ("description", "enabled_events", "url") if key in params}
    if "metadata" in params:
        changes["metadata"] = merged(document["metadata"], params["metadata"])
    if "disabled" in params:
        changes["status"] = "disabled" if params["disabled"] else "enabled"
    return world.update(document, **changes)


@route("DELETE", "webhook_endpoints/{id}", sdk.WebhookEndpointDeleteParams)
def delete_endpoint(world: World, params: Document, id: str) -> Document:
    world.store.remove(world.get("webhook_endpoint", id))
    return {"id": id, "object": "webhook_endpoint", "deleted": True}
