"""Invoices, their previews and their payments."""

from __future__ import annotations

from stripe import params as sdk

from stripe_simulator.api.routing import route, simple_get
from stripe_simulator.life import finalizing, invoicing, subscriptions
from stripe_simulator.life.charging import Result
from stripe_simulator.world.errors import Declined, invalid, not_simulated, required
from stripe_simulator.world.rendering import page
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

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


@route("POST", "invoices/{id}/pay", sdk.InvoicePayParams, known="off_session payment_method")
def pay(world: World, params: Document, id: str) -> Document:
    """Pay an open or uncollectible invoice now, with the method given or the subscription's.

    A decline is answered with 402, and its effects are kept.
    https://docs.stripe.com/invoicing/integration/workflow-transitions
    """
    invoice = world.get("invoice", id)
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"Invoice is {invoice['status']} and cannot be paid.")
    method = None
    if params.get("payment_method"):
        method = world.get("payment_method", params["payment_method"], "payment_method")
        if method["customer"] != invoice["customer"]:
            raise invalid("The payment method does not belong to the invoice's customer.", "payment_method")
    result = invoicing.pay(world, invoice, method)
    if result is Result.REQUIRES_ACTION:
        message = "This payment requires additional user action before it can be completed successfully."
        raise Declined(message, code="invoice_payment_intent_requires_action")
    if result is Result.FAILED:
        error = finalizing.intent_of(world, invoice)["last_payment_error"] or {}
        message = error.get("message") or "The customer has no way to pay."
        raise Declined(message, code=error.get("code") or "card_declined", decline_code=error.get("decline_code"))
    return invoice


@route("POST", "invoices/{id}/finalize", sdk.InvoiceFinalizeInvoiceParams, known="auto_advance")
def finalize(world: World, params: Document, id: str) -> Document:
    """Finalize a draft: it is open, or paid if the customer's credit covers it, and nobody is charged."""
    invoice = world.get("invoice", id)
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    if params.get("auto_advance") is not False:
        raise not_simulated("finalizing with automatic collection: pass auto_advance=false", "auto_advance")
    invoicing.finalize_by_hand(world, invoice)
    return invoice


@route("POST", "invoices/{id}/void", sdk.InvoiceVoidInvoiceParams)
def void(world: World, params: Document, id: str) -> Document:
    """Void an open or uncollectible invoice whose payment is not with the bank.

    https://docs.stripe.com/invoicing/integration/workflow-transitions
    """
    invoice = world.get("invoice", id)
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid("You can only pass in open invoices. This invoice isn't open.")
    if finalizing.intent_of(world, invoice)["status"] == "processing":
        raise invalid("You can't void an invoice whose payment is processing.")
    invoicing.void(world, invoice)
    return invoice


@route("POST", "invoices/create_preview", sdk.InvoiceCreatePreviewParams, known="subscription customer")
def create_preview(world: World, params: Document) -> Document:
    if not params.get("subscription"):
        raise required("subscription")
    subscription = world.get("subscription", params["subscription"], "subscription")
    if subscription["cancel_at_period_end"] or subscription["status"] == "canceled":
        raise not_simulated("a preview of a subscription that ends", "subscription")
    return subscriptions.preview(world, subscription)


@route("POST", "invoices/{id}", sdk.InvoiceUpdateParams, known="auto_advance")
def update(world: World, params: Document, id: str) -> Document:
    """Turn automatic collection of a draft or open invoice off or on."""
    invoice = world.get("invoice", id)
    if invoice["status"] not in ("draft", "open"):
        raise invalid(f"Invoice is {invoice['status']} and can no longer be collected.", "auto_advance")
    if "auto_advance" in params:
        invoicing.set_collection(world, invoice, on=params["auto_advance"])
    return invoice


@route("DELETE", "invoices/{id}")
def delete(world: World, params: Document, id: str) -> Document:
    """Refuse to delete an invoice: those of subscriptions, and there are no others here, can only be voided."""
    world.get("invoice", id)
    raise invalid("You can't delete invoices created by subscriptions.")


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
