"""Events of a recurring gift: the subscription, its invoices, the card or account it is paid from, the customer."""

from __future__ import annotations

from functools import partial

from payments.books import ledger
from payments.errors import NotOurs
from payments.models import StripeEvent, Subscription
from payments.recurring import customers, methods, subscriptions
from payments.stripe_api import objects
from payments.stripe_api.reads import Reads
from payments.webhooks.handlers import whose
from payments.webhooks.handlers.effects import Effect, in_turn


def subscription_changed(event: StripeEvent, reads: Reads) -> Effect:
    """customer.subscription.*: the row becomes what Stripe's object is now, whoever changed it."""
    return partial(subscriptions.follow, reads.subscription(event.object["id"]))


def invoice_changed(event: StripeEvent, reads: Reads) -> Effect:
    """invoice.*: one instalment was received, failed, waits for the bank, or is given up."""
    return instalment(event.object["id"], reads)


def invoice_unfinished(event: StripeEvent, reads: Reads) -> Effect:
    """invoice.finalization_failed: Stripe could not even make the bill. A person must look."""
    invoice = reads.invoice(event.object["id"])
    return in_turn(_subscription_first(invoice, reads), partial(subscriptions.note_unfinished_invoice, invoice))


def method_changed(event: StripeEvent, reads: Reads) -> Effect:
    """payment_method.*: the subscriptions it pays for are read again, and with them whether it is still there."""
    customer = objects.customer_of(event.object) or objects.customer_before(event.body)
    whose.require(customer, reads)
    wanted = methods.paid_from(event.object["id"], customer)
    return in_turn(*(partial(subscriptions.follow, reads.subscription(stripe_id)) for stripe_id in wanted))


def mandate_changed(event: StripeEvent, reads: Reads) -> Effect:
    """mandate.updated: the bank ended the permission to debit, or gave it again."""
    mandate = reads.mandate(event.object["id"])
    if not Subscription.objects.filter(stripe_payment_method_id=mandate.method_id).exists():
        whose.wait_for(reads.customer_of_method(mandate.method_id), reads)
    return partial(methods.follow_mandate, mandate)


def customer_changed(event: StripeEvent, reads: Reads) -> Effect:
    """customer.updated: another default card may pay for the subscriptions now, or the address was changed there."""
    customer = event.object["id"]
    whose.require(customer, reads)
    if not objects.changed_address(event.body):
        return _subscriptions_again(customer, reads)
    return in_turn(_subscriptions_again(customer, reads), partial(customers.check_address, reads.customer(customer)))


def customer_deleted(event: StripeEvent, reads: Reads) -> Effect:
    """customer.deleted: Stripe has ended the subscriptions with it; they are read again, and the deletion noted."""
    customer = event.object["id"]
    whose.require(customer, reads)
    return in_turn(_subscriptions_again(customer, reads), partial(customers.note_deleted, customer))


def _subscriptions_again(customer: str, reads: Reads) -> Effect:
    wanted = methods.paid_from("", customer)
    return in_turn(*(partial(subscriptions.follow, reads.subscription(stripe_id)) for stripe_id in wanted))


def instalment(invoice_id: str, reads: Reads) -> Effect:
    invoice = reads.invoice(invoice_id)
    return in_turn(_subscription_first(invoice, reads), partial(_record_instalment, invoice))


def _subscription_first(invoice: objects.Invoice, reads: Reads) -> Effect:
    """An invoice may be told before its subscription: that is read then. Raises NotOurs for one of no subscription."""
    if not invoice.subscription:
        raise NotOurs(invoice.id)
    if Subscription.objects.filter(stripe_subscription_id=invoice.subscription).exists():
        return in_turn()
    return partial(subscriptions.follow, reads.subscription(invoice.subscription))


def _record_instalment(invoice: objects.Invoice) -> None:
    if row := subscriptions.find(invoice.subscription):
        ledger.record_instalment(invoice, row)
