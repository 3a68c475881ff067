"""Handlers of events about recurring gifts: subscriptions, invoices, payment methods, mandates, customers.

Stripe sends some of these events without our metadata; ownership.py finds out whether they concern this installation.
"""

from __future__ import annotations

from functools import partial

from payments.books import instalments
from payments.errors import NotOurs
from payments.models import StripeEvent, Subscription
from payments.recurring import customers, methods, subscriptions
from payments.stripe_api import objects
from payments.stripe_api.reads import Reads
from payments.webhooks.handlers import ownership
from payments.webhooks.handlers.effects import Effect, in_turn, nothing


def subscription_changed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle customer.subscription.*: update our row from the subscription as Stripe has it now, whoever changed it."""
    return partial(subscriptions.follow, reads.subscription(event.object["id"]))


def invoice_changed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle invoice.*: an instalment is due within the hour, was received, failed, waits for the bank, or given up."""
    return instalment(event.object["id"], reads)


def invoice_part_paid(event: StripeEvent, reads: Reads) -> Effect:
    """Handle invoice_payment.paid: staff charged a part of an invoice, or all of it, beside its default payment.

    What the default payment brought is reported by the invoice's own events.
    """
    invoice_id = objects.invoice_paid_in_part(event.object)
    return instalment(invoice_id, reads) if invoice_id else nothing


def invoice_unfinished(event: StripeEvent, reads: Reads) -> Effect:
    """Handle invoice.finalization_failed: Stripe could not finish an invoice, which opens a case for staff."""
    invoice = reads.invoice(event.object["id"])
    return in_turn(_subscription_first(invoice, reads), partial(subscriptions.note_unfinished_invoice, invoice))


def method_changed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle payment_method.*: read the subscriptions that it may pay for, and whether each still has a method.

    Raises NotOurs if it pays for nothing here and its customer, or the customer it was removed from, has nothing to do
    with this installation. A removed method may name neither: then our rows know it, or nobody here does.
    """
    customer = objects.customer_of(event.object) or objects.customer_before(event.body)
    wanted = methods.paid_from(event.object["id"], customer)
    if not wanted:
        ownership.require(customer, reads)
    return in_turn(*(partial(subscriptions.follow, reads.subscription(stripe_id)) for stripe_id in wanted))


def mandate_changed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle mandate.updated: the bank ended its customer's permission to debit, or restored it.

    Raises NotOurs for somebody else's mandate, NotYet while its subscription is not recorded here.
    """
    mandate = reads.mandate(event.object["id"])
    if not Subscription.objects.filter(stripe_payment_method_id=mandate.method_id).exists():
        ownership.wait_for(reads.customer_of_method(mandate.method_id), reads)
    return partial(methods.follow_mandate, mandate)


def customer_changed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle customer.updated: another default card may pay for the subscriptions, or the email address was changed.

    Raises NotOurs for somebody else's customer.
    """
    customer = event.object["id"]
    ownership.require(customer, reads)
    if not objects.changed_address(event.body):
        return _read_subscriptions(customer, reads)
    return in_turn(_read_subscriptions(customer, reads), partial(customers.check_address, reads.customer(customer)))


def customer_deleted(event: StripeEvent, reads: Reads) -> Effect:
    """Handle customer.deleted: Stripe has ended the customer's subscriptions; read them, and note the deletion.

    Raises NotOurs for somebody else's customer.
    """
    customer = event.object["id"]
    ownership.require(customer, reads)
    return in_turn(_read_subscriptions(customer, reads), partial(customers.note_deleted, customer))


def _read_subscriptions(customer: str, reads: Reads) -> Effect:
    wanted = methods.paid_from("", customer)
    return in_turn(*(partial(subscriptions.follow, reads.subscription(stripe_id)) for stripe_id in wanted))


def instalment(invoice_id: str, reads: Reads) -> Effect:
    """Read an invoice and return the effect of recording it. Raises NotOurs for an invoice of no subscription."""
    invoice = reads.invoice(invoice_id)
    return in_turn(_subscription_first(invoice, reads), partial(_record_instalment, invoice))


def _subscription_first(invoice: objects.Invoice, reads: Reads) -> Effect:
    """Return an effect that records the invoice's subscription, or does nothing if it is recorded already.

    Events of an invoice may come before those of its subscription. Raises NotOurs for an invoice of no subscription.
    """
    if not invoice.subscription:
        raise NotOurs(invoice.id)
    if Subscription.objects.filter(stripe_subscription_id=invoice.subscription).exists():
        return in_turn()
    return partial(subscriptions.follow, reads.subscription(invoice.subscription))


def _record_instalment(invoice: objects.Invoice) -> None:
    """Record an instalment, after the gift's terms, if they changed with it and their own event has yet to come."""
    row = subscriptions.find(invoice.subscription)
    agreed = invoice.agreed
    if row and agreed and (row.amount, row.rhythm) != (agreed.amount, agreed.rhythm):
        row = subscriptions.follow(agreed)
    if row:
        instalments.record_instalment(invoice, row)
