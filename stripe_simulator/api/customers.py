"""Customers, their payment methods, mandates."""

from __future__ import annotations

from typing import Any

from stripe import params as sdk

from stripe_simulator.api.metadata import merged
from stripe_simulator.api.routing import route, simple_get
from stripe_simulator.life import endings, methods
from stripe_simulator.objects import people
from stripe_simulator.world.errors import invalid, missing
from stripe_simulator.world.rendering import newest_first, page
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

PLAIN = ("address", "description", "email", "name", "phone", "preferred_locales", "shipping", "tax_exempt")
KNOWN = " ".join((*PLAIN, "metadata", "invoice_settings"))

simple_get("payment_methods", "payment_method", sdk.PaymentMethodRetrieveParams)
simple_get("mandates", "mandate", sdk.MandateRetrieveParams)


def _plain(params: Document) -> Document:
    """Return the plain fields that were given. An empty string unsets a field."""
    return {key: params[key] or None for key in PLAIN if key in params}


@route("POST", "customers", sdk.CustomerCreateParams, known=KNOWN)
def create(world: World, params: Document) -> Document:
    document = people.customer(world, **_plain(params), metadata=merged({}, params.get("metadata")))
    _settings(world, document, params)
    return world.add(document, "customer.created")


@route("GET", "customers", sdk.CustomerListParams, known="created email ending_before limit starting_after")
def list_customers(world: World, params: Document) -> Document:
    wanted = params.get("email")
    found = [c for c in world.store.all("customer") if not c.get("deleted") and wanted in (None, c["email"])]
    return page(world, found, params, "/v1/customers")


@route("GET", "customers/{id}", sdk.CustomerRetrieveParams)
def retrieve(world: World, params: Document, id: str) -> Document:
    document = world.get("customer", id)
    return {"id": id, "object": "customer", "deleted": True} if document.get("deleted") else document


@route("POST", "customers/{id}", sdk.CustomerUpdateParams, known=KNOWN)
def update(world: World, params: Document, id: str) -> Document:
    document = existing(world, id)
    changes: dict[str, Any] = _plain(params)
    if "metadata" in params:
        changes["metadata"] = merged(document["metadata"], params["metadata"])
    _settings(world, document, params)
    return world.update(document, "customer.updated", **changes)


@route("DELETE", "customers/{id}", sdk.CustomerDeleteParams)
def delete(world: World, params: Document, id: str) -> Document:
    document = world.get("customer", id)
    if document.get("deleted"):
        raise missing("customer", id)
    for subscription in world.store.where("subscription", customer=id):
        endings.end(world, subscription, reason="cancellation_requested")
    world.emit("customer.deleted", document)
    world.update(document, deleted=True)
    return {"id": id, "object": "customer", "deleted": True}


def existing(world: World, id: str, param: str = "id") -> Document:
    """Return a customer. Raises StripeRefusal, which names `param`, if they were deleted or never existed."""
    document = world.get("customer", id, param)
    if document.get("deleted"):
        raise invalid(f"No such customer: '{id}'", param, "resource_missing")
    return document


def _settings(world: World, document: Document, params: Document) -> None:
    given = params.get("invoice_settings") or {}
    if given.get("default_payment_method"):
        method = world.get(
            "payment_method", given["default_payment_method"], "invoice_settings[default_payment_method]"
        )
        document["invoice_settings"]["default_payment_method"] = method["id"]


@route("GET", "customers/{customer}/payment_methods", sdk.CustomerListPaymentMethodsParams)
def list_payment_methods(world: World, params: Document, customer: str) -> Document:
    found = world.store.where("payment_method", customer=existing(world, customer)["id"])
    if params.get("type"):
        found = [method for method in found if method["type"] == params["type"]]
    return page(world, newest_first(found), params, f"/v1/customers/{customer}/payment_methods")


@route("POST", "payment_methods/{id}/attach", sdk.PaymentMethodAttachParams, known="customer")
def attach(world: World, params: Document, id: str) -> Document:
    method = world.get("payment_method", id)
    methods.attach(world, method, existing(world, params["customer"]))
    return method


@route("POST", "payment_methods/{id}/detach", sdk.PaymentMethodDetachParams)
def detach(world: World, params: Document, id: str) -> Document:
    return world.update(world.get("payment_method", id), "payment_method.detached", customer=None)
