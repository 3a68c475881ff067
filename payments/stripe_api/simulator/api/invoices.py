"""Invoices, their previews and their payments."""

from __future__ import annotations

from stripe import params as sdk

from ..errors import not_simulated, required
from ..life import subscriptions
from ..rendering import page
from ..store import Document
from ..world import World
from .routing import route, simple_get

simple_get("invoices", "invoice", sdk.InvoiceRetrieveParams)
simple_get("invoice_payments", "invoice_payment", sdk.InvoicePaymentRetrieveParams)


@route(
    "GET",
    "invoices",
    sdk.InvoiceListParams,
    known="collection_method created customer ending_before limit starting_after status subscription",
)
def list_invoices(world: World, params: Document) -> Document:
    names = {"customer": "customer", "status": "status", "subscription": "_subscription"}
    facts = {field: params[name] for name, field in names.items() if name in params}
    return page(world, world.store.where("invoice", **facts), params, "/v1/invoices")


@route("POST", "invoices/create_preview", sdk.InvoiceCreatePreviewParams, known="subscription customer")
def create_preview(world: World, params: Document) -> Document:
    if not params.get("subscription"):
        raise required("subscription")
    subscription = world.get("subscription", params["subscription"], "subscription")
    if subscription["cancel_at_period_end"] or subscription["status"] == "canceled":
        raise not_simulated("a preview of a subscription that ends", "subscription")
    return subscriptions.preview(world, subscription)


@route(
    "GET",
    "invoice_payments",
    sdk.InvoicePaymentListParams,
    known="invoice payment status ending_before limit starting_after",
)
def list_invoice_payments(world: World, params: Document) -> Document:
    found = world.store.all("invoice_payment")
    wanted = params.get("payment")
    if wanted:
        intent = wanted.get("payment_intent")
        if wanted.get("type") != "payment_intent" or not intent:
            raise not_simulated("invoice payments other than payment intents", "payment")
        found = [document for document in found if document["payment"]["payment_intent"] == intent]
    for name in ("invoice", "status"):
        if params.get(name):
            found = [document for document in found if document[name] == params[name]]
    return page(world, found, params, "/v1/invoice_payments")
