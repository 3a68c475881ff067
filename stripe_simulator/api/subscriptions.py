"""Subscriptions: read, change, pause, resume, cancel."""

from __future__ import annotations

import copy
from typing import Any

from stripe import params as sdk

from stripe_simulator.api.metadata import merged
from stripe_simulator.api.routing import route, simple_get
from stripe_simulator.life import endings, subscriptions
from stripe_simulator.objects import billing, checkout
from stripe_simulator.world import money
from stripe_simulator.world.errors import StripeRefusal, invalid, not_simulated
from stripe_simulator.world.rendering import fits, page
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

simple_get("subscriptions", "subscription", sdk.SubscriptionRetrieveParams)

UPDATES = (
    "cancel_at_period_end cancel_at cancellation_details default_payment_method description items metadata "
    "pause_collection proration_behavior"
)


@route(
    "GET",
    "subscriptions",
    sdk.SubscriptionListParams,
    known="collection_method created current_period_end customer ending_before limit price starting_after status",
)
def list_subscriptions(world: World, params: Document) -> Document:
    """List subscriptions: without a status those that are not canceled; Stripe's `all` and `ended` are known too."""
    found = world.store.all("subscription")
    if params.get("customer"):
        found = [document for document in found if document["customer"] == params["customer"]]
    status = params.get("status")
    if status == "ended":
        found = [document for document in found if document["status"] in endings.ENDED]
    elif status is None:
        found = [document for document in found if document["status"] != "canceled"]
    elif status != "all":
        found = [document for document in found if document["status"] == status]
    if params.get("price"):
        found = [d for d in found if subscriptions.item_of(d)["price"]["id"] == params["price"]]
    ends = params.get("current_period_end")
    found = [document for document in found if fits(subscriptions.item_of(document)["current_period_end"], ends)]
    return page(world, found, params, "/v1/subscriptions")


def _running(world: World, id: str) -> Document:
    """Return a subscription that has not ended. Raises StripeRefusal."""
    document = world.get("subscription", id)
    if document["status"] == "canceled":
        raise StripeRefusal(f"No such subscription: '{id}'", status=404, code="resource_missing", param="id")
    if document["status"] in endings.ENDED:
        raise invalid("This subscription never started.")
    return document


@route("POST", "subscriptions/{id}", sdk.SubscriptionUpdateParams, known=UPDATES)
def update(world: World, params: Document, id: str) -> Document:
    document = world.get("subscription", id)
    if document["status"] in endings.ENDED and set(params) - {"metadata", "cancellation_details"}:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    changes = _changes(world, document, params)
    if params.get("items"):
        subscriptions.change_items(world, document, _changed_items(world, document, params), **changes)
    else:
        world.update(document, "customer.subscription.updated", **changes)
    return document


def _changes(world: World, document: Document, params: Document) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if "cancel_at" in params and "cancel_at_period_end" in params:
        raise invalid("Received both cancel_at and cancel_at_period_end parameters. Please pass in only one.")
    if "description" in params:
        changes["description"] = params["description"] or None
    if "metadata" in params:
        changes["metadata"] = merged(document["metadata"], params["metadata"])
    if "cancel_at_period_end" in params:
        changes |= subscriptions.ending(world, document, params["cancel_at_period_end"])
    if "cancel_at" in params:
        changes |= _cancel_at(world, document, params["cancel_at"])
    if "cancellation_details" in params:
        details = dict(changes.get("cancellation_details") or document["cancellation_details"])
        given = params["cancellation_details"] or {}
        changes["cancellation_details"] = details | {key: value or None for key, value in given.items()}
    if "default_payment_method" in params:
        method = world.get("payment_method", params["default_payment_method"], "default_payment_method")
        if method["customer"] != document["customer"]:
            raise invalid("The payment method must be attached to the customer.", "default_payment_method")
        changes["default_payment_method"] = method["id"]
    if "pause_collection" in params:
        changes["pause_collection"] = _pause_collection(world, document, params["pause_collection"])
    return changes


def _cancel_at(world: World, document: Document, moment: int | str) -> dict[str, Any]:
    """Schedule the end at this timestamp, at the period's end, or not at all (""); return the changes for it."""
    world.unschedule("cancel", document["id"])
    if moment in ("min_period_end", "max_period_end"):
        moment = subscriptions.period_end(document)
    if moment == "":
        return {**subscriptions.ending(world, document, False)}
    if not isinstance(moment, int) or moment <= world.now():
        raise invalid("`cancel_at` must be in the future.", "cancel_at")
    world.schedule(moment, "cancel", document["id"])
    details = {**document["cancellation_details"], "reason": "cancellation_requested"}
    ends_with_period = moment == subscriptions.period_end(document)
    return {
        "cancel_at": moment,
        "cancel_at_period_end": ends_with_period,
        "canceled_at": world.now(),
        "cancellation_details": details,
    }


def _pause_collection(world: World, document: Document, given: Document | str) -> Document | None:
    """Schedule the end of a pause of collection; return the new value of `pause_collection`."""
    world.unschedule("resume_collection", document["id"])
    if not isinstance(given, dict):
        return None
    resumes_at = given.get("resumes_at")
    if resumes_at is not None:
        if resumes_at <= world.now():
            raise invalid("`resumes_at` must be in the future.", "pause_collection[resumes_at]")
        world.schedule(resumes_at, "resume_collection", document["id"])
    return {"behavior": given["behavior"], "resumes_at": resumes_at}


def _changed_items(world: World, document: Document, params: Document) -> Document:
    """Return the items with another price or quantity of the first one, the only one that can be changed."""
    items = copy.deepcopy(document["items"])
    item, given = items["data"][0], params["items"][0]
    if len(params["items"]) != 1 or set(given) - {"id", "price_data", "quantity"} or given.get("id") != item["id"]:
        raise not_simulated("changes other than price_data or quantity of the first item", "items")
    if params.get("proration_behavior") != "none":
        raise not_simulated("prorations: pass proration_behavior=none", "proration_behavior")
    price = _new_price(world, document, given["price_data"]) if given.get("price_data") else item["price"]
    item.update(price=price, plan=billing.plan(price), quantity=given.get("quantity", item["quantity"]))
    return items


def _new_price(world: World, document: Document, data: Document) -> Document:
    if data["currency"].lower() != document["currency"]:
        raise invalid("The price must be in the subscription's currency.", "items[0][price_data][currency]")
    product = world.get("product", data["product"], "items[0][price_data][product]")
    money.check_amount(data["unit_amount"], document["currency"], "items[0][price_data][unit_amount]")
    return world.add(checkout.price(world, product["id"], document["currency"], data["unit_amount"], data["recurring"]))


@route("DELETE", "subscriptions/{id}", sdk.SubscriptionCancelParams, known="cancellation_details prorate invoice_now")
def cancel(world: World, params: Document, id: str) -> Document:
    if params.get("prorate") or params.get("invoice_now"):
        raise not_simulated("prorated cancellation", "prorate")
    document = _running(world, id)
    details = dict(document["cancellation_details"]) | (params.get("cancellation_details") or {})
    world.update(document, cancellation_details={**details, "reason": "cancellation_requested"})
    world.update(document, canceled_at=world.now())
    endings.end(world, document)
    return document


@route("POST", "subscriptions/{id}/pause", sdk.SubscriptionPauseParams, known="type invoicing_behavior bill_for")
def pause(world: World, params: Document, id: str) -> Document:
    """Pause a subscription. Raises StripeRefusal if it has ended or is paused, or if unused time is to be credited.

    Such a credit is a proration, which is not simulated.
    """
    unused = ((params.get("bill_for") or {}).get("unused_time_from") or {}).get("type")
    if unused != "none":
        raise not_simulated("credits for unused time: pass bill_for.unused_time_from.type=none", "bill_for")
    document = _running(world, id)
    if document["status"] == "paused":
        raise invalid("This subscription is already paused.")
    subscriptions.pause(world, document)
    return document


@route("POST", "subscriptions/{id}/resume", sdk.SubscriptionResumeParams, known="billing_cycle_anchor")
def resume(world: World, params: Document, id: str) -> Document:
    if (params.get("billing_cycle_anchor") or {}).get("type", "now") != "now":
        raise not_simulated("resuming on the old anchor", "billing_cycle_anchor")
    document = _running(world, id)
    if document["status"] != "paused":
        raise invalid("This subscription is not paused.")
    subscriptions.resume(world, document)
    return document
