"""What each event of Stripe means. A handler reads what it must, outside the transaction, and returns the rule to run
inside it. State (a subscription, an invoice) is always read again, because events come in any order; a fact that
cannot change (a received gift) is taken from the event when it was rendered at our API version.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from payments import checkout, ledger, refunds, subscriptions
from payments.errors import NotOurs
from payments.models import StripeEvent, Subscription
from payments.stripe_api import client, objects
from payments.stripe_api.event_types import HANDLED, SYNC_SESSION, SYNC_SUBSCRIPTION
from payments.webhooks.reads import Reads

Effect = Callable[[], object]
Handler = Callable[[StripeEvent, Reads], Effect]


def session_changed(event: StripeEvent, reads: Reads) -> Effect:
    """checkout.session.*: the attempt is complete or expired; what it led to is recorded with it."""
    session = reads.session(event.object["id"])
    invoice = reads.invoice(session.invoice) if session.invoice else None
    return partial(_follow_session, session, invoice)


def subscription_changed(event: StripeEvent, reads: Reads) -> Effect:
    """customer.subscription.*: the row becomes what Stripe's object is now."""
    return partial(subscriptions.follow, reads.subscription(event.object["id"]))


def invoice_changed(event: StripeEvent, reads: Reads) -> Effect:
    """invoice.*: one instalment was received or failed."""
    return _instalment(event.object["id"], reads)


def gift_received(event: StripeEvent, reads: Reads) -> Effect:
    """payment_intent.succeeded: a fact, taken as it came. The intents of invoices are told by the invoices."""
    return _gift(_fact(event, objects.payment_intent, reads.payment_intent))


def gift_changed(event: StripeEvent, reads: Reads) -> Effect:
    """payment_intent.processing and .payment_failed: state, so it is read again when it is ours."""
    stale = objects.payment_intent(event.object)
    return _gift(reads.payment_intent(stale.id) if stale.checkout else stale)


def charge_told(event: StripeEvent, reads: Reads) -> Effect:
    """charge.succeeded and .updated: how a received gift was paid. Fees come with Stripe's balance (settlements)."""
    return partial(ledger.record_charge, _fact(event, objects.charge, reads.charge))


def refund_changed(event: StripeEvent, reads: Reads) -> Effect:
    """refund.*: money goes back, or comes back because the refund failed. The payment is read first if unknown."""
    refund = reads.refund(event.object["id"])
    if refunds.payment_of(refund):
        return partial(refunds.follow, refund)
    intent_id = refund.payment_intent or reads.charge(refund.charge).payment_intent
    if intent_id and (intent := reads.payment_intent(intent_id)).checkout:
        return _in_turn(_gift(intent), partial(refunds.follow, refund))
    if intent_id and (invoice_id := reads.invoice_of(intent_id)):
        return _in_turn(_instalment(invoice_id, reads), partial(refunds.follow, refund))
    raise NotOurs(refund.id)


_BY_FAMILY: dict[str, Handler] = {
    "checkout.session.": session_changed,
    "customer.subscription.": subscription_changed,
    "invoice.": invoice_changed,
    "charge.": charge_told,
    "refund.": refund_changed,
}
HANDLERS: dict[str, Handler] = {
    event_type: next(handler for family, handler in _BY_FAMILY.items() if event_type.startswith(family))
    for event_type in HANDLED
    if not event_type.startswith("payment_intent.")
} | {
    "payment_intent.succeeded": gift_received,
    "payment_intent.processing": gift_changed,
    "payment_intent.payment_failed": gift_changed,
    SYNC_SESSION: session_changed,
    SYNC_SUBSCRIPTION: subscription_changed,
}


def _follow_session(session: objects.Session, invoice: objects.Invoice | None) -> None:
    checkout.follow(session)
    if session.payment_intent:
        ledger.record_gift(session.payment_intent, is_accepted=session.status == "complete")
    if session.subscription:
        row = subscriptions.follow(session.subscription)
        if row and invoice:
            ledger.record_instalment(invoice, row)


def _instalment(invoice_id: str, reads: Reads) -> Effect:
    invoice = reads.invoice(invoice_id)
    if not invoice.subscription:
        raise NotOurs(invoice_id)
    known = Subscription.objects.filter(stripe_subscription_id=invoice.subscription).exists()
    agreed = None if known else reads.subscription(invoice.subscription)
    return partial(_record_instalment, invoice, agreed)


def _record_instalment(invoice: objects.Invoice, agreed: objects.Subscription | None) -> None:
    row = subscriptions.follow(agreed) if agreed else subscriptions.find(invoice.subscription)
    if row:
        ledger.record_instalment(invoice, row)


def _gift(intent: objects.PaymentIntent) -> Effect:
    # An intent without our metadata belongs to an invoice, which tells it, or to somebody else on the account.
    return partial(ledger.record_gift, intent) if intent.checkout else _nothing


def _fact(event: StripeEvent, shape: Callable[[Any], Any], read: Callable[[str], Any]) -> Any:
    """The event's object as it came, if it was rendered at our API version; read again otherwise."""
    if event.api_version == client.API_VERSION:
        return shape(event.object)
    return read(event.object["id"])


def _in_turn(*effects: Effect) -> Effect:
    def run() -> None:
        for effect in effects:
            effect()

    return run


def _nothing() -> None:
    """Nothing to do here: another event tells it."""
