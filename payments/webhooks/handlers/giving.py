"""Handlers of events about one attempt to give: the session on Stripe's page, a one-off gift, its charge.

Instalments of recurring gifts are recorded from their invoices (recurring.py), not from their intents and charges.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from members import clock
from payments.books import gifts, instalments
from payments.giving import checkout
from payments.models import StripeEvent
from payments.recurring import subscriptions
from payments.stripe_api import objects
from payments.stripe_api.reads import Reads
from payments.webhooks.handlers import ownership
from payments.webhooks.handlers.effects import Effect, Gift, counting, fact, in_turn, nothing
from payments.webhooks.handlers.recurring import instalment

# Longer than any card payment takes, even if the bank wants it confirmed, and shorter than any bank debit.
LONGEST_CARD_PAYMENT = timedelta(hours=1)
# Events that Stripe sends the moment the money of a bank debit arrives.
ARRIVALS = {"charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded"}


def session_changed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle checkout.session.*: the attempt is complete or expired. Records the gift it led to, too."""
    session = reads.session(event.object["id"])
    if session.payment_intent:
        session = replace(session, payment_intent=_with_arrival(event, session.payment_intent, reads))
    invoice = reads.invoice(session.invoice) if session.invoice else None
    counted = counting(session.payment_intent.failed, event.created_at) if session.payment_intent else None
    return in_turn(partial(_follow_session, session, invoice), counted or nothing)


def gift_received(event: StripeEvent, reads: Reads) -> Effect:
    """Handle payment_intent.succeeded: record a received gift from the event itself, because it cannot change."""
    intent = fact(event, objects.payment_intent, reads.payment_intent)
    return gift(_with_arrival(event, intent, reads), reads)


def gift_changed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle payment_intent.processing, .payment_failed and .canceled: read the gift again, as its state may be old."""
    intent = fact(event, objects.payment_intent, reads.payment_intent)
    if intent.status == "processing" and not intent.checkout:
        return _instalment_with_bank(intent, reads)
    return gift(reads.payment_intent(intent.id) if intent.checkout else intent, reads)


def charge_reported(event: StripeEvent, reads: Reads) -> Effect:
    """Handle charge.succeeded and .updated: a gift was received, and how.

    A charge that has not succeeded does nothing, because its intent or invoice reports it. Fees come later
    (books/settlements.py).
    """
    charge = fact(event, objects.charge, reads.charge)
    if charge.status == "succeeded":
        return gift(_with_arrival(event, objects.intent_of(charge), reads), reads)
    return nothing if charge.checkout else _left_to_invoice(charge.customer, reads)


def gift(intent: objects.PaymentIntent, reads: Reads) -> Effect:
    """Return the effect of recording a one-off gift.

    An intent without our metadata can only be an instalment, or somebody else's: returns an effect that does nothing,
    or raises NotOurs.
    """
    return Gift(_not_in_future(intent)) if intent.checkout else _left_to_invoice(intent.customer, reads)


def _with_arrival(event: StripeEvent, intent: objects.PaymentIntent, reads: Reads) -> objects.PaymentIntent:
    """Return the intent with the day on which its money arrived, which for a bank debit is days after it began.

    An event that Stripe sends when the money arrives gives the day. For any other late event the intent is read, and
    dated by the day from which Stripe lets the money be used.
    """
    if not intent.checkout or event.created_at - intent.created_at <= LONGEST_CARD_PAYMENT:
        return intent
    if event.type in ARRIVALS:
        return replace(intent, paid_at=event.created_at)
    return reads.payment_intent(intent.id)


def _not_in_future(intent: objects.PaymentIntent) -> objects.PaymentIntent:
    """Return the intent with `paid_at` no later than now.

    A bank debit counts as received when Stripe reports success, even if its money may be used only tomorrow.
    """
    is_debit = intent.paid_at - intent.created_at > LONGEST_CARD_PAYMENT
    return replace(intent, paid_at=min(intent.paid_at, clock.now())) if is_debit else intent


def _left_to_invoice(customer: str, reads: Reads) -> Effect:
    """Return an effect that does nothing, because the invoice's own events report this money.

    Raises NotOurs if the customer has nothing to do with this installation.
    """
    ownership.require(customer, reads)
    return nothing


def _instalment_with_bank(intent: objects.PaymentIntent, reads: Reads) -> Effect:
    """Return the effect of recording an instalment that is with the bank.

    No event of the invoice reports a bank debit before the bank has answered, days later.
    """
    invoice = reads.invoice_of(intent.id)
    return instalment(invoice, reads) if invoice else _left_to_invoice(intent.customer, reads)


def _follow_session(session: objects.Session, invoice: objects.Invoice | None) -> None:
    checkout.follow(session, session.payment_intent or (invoice.payment_intent if invoice else None))
    if session.payment_intent:
        gifts.record_gift(_not_in_future(session.payment_intent), is_accepted=session.status == "complete")
    if session.subscription:
        row = subscriptions.follow(session.subscription)
        if row and invoice:
            instalments.record_instalment(invoice, row)
