"""Events of one attempt to give: the session at Stripe's page, the gift given once, its charge."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from members import clock
from payments.books import ledger
from payments.giving import checkout
from payments.models import StripeEvent
from payments.recurring import subscriptions
from payments.stripe_api import objects
from payments.stripe_api.reads import Reads
from payments.webhooks.handlers import whose
from payments.webhooks.handlers.effects import Effect, Gift, fact, nothing
from payments.webhooks.handlers.recurring import instalment

# Longer than a card takes, confirmed by its bank or not, and shorter than any debit.
AT_ONCE = timedelta(hours=1)
# What Stripe tells in the moment in which the money of a debit has come.
ARRIVALS = {"charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded"}


def session_changed(event: StripeEvent, reads: Reads) -> Effect:
    """checkout.session.*: the attempt is complete or expired; what it led to is recorded with it."""
    session = reads.session(event.object["id"])
    if session.payment_intent:
        session = replace(session, payment_intent=_with_its_day(event, session.payment_intent, reads))
    invoice = reads.invoice(session.invoice) if session.invoice else None
    return partial(_follow_session, session, invoice)


def gift_received(event: StripeEvent, reads: Reads) -> Effect:
    """payment_intent.succeeded: a fact, taken as it came. The intents of invoices are told by the invoices."""
    return gift(_with_its_day(event, fact(event, objects.payment_intent, reads.payment_intent), reads), reads)


def gift_changed(event: StripeEvent, reads: Reads) -> Effect:
    """payment_intent.processing, .payment_failed, .canceled: state, so it is read again when it is ours."""
    told = fact(event, objects.payment_intent, reads.payment_intent)
    if told.status == "processing" and not told.checkout:
        return _instalment_with_bank(told, reads)
    return gift(reads.payment_intent(told.id) if told.checkout else told, reads)


def charge_reported(event: StripeEvent, reads: Reads) -> Effect:
    """charge.succeeded and .updated: that a gift was received, and how. Fees come later (books/settlements.py)."""
    charge = fact(event, objects.charge, reads.charge)
    if charge.status == "succeeded":
        return gift(_with_its_day(event, objects.intent_of(charge), reads), reads)
    return nothing if charge.checkout else _told_by_invoice(charge.customer, reads)


def gift(intent: objects.PaymentIntent, reads: Reads) -> Effect:
    """A gift given once; without our metadata it can only be an instalment."""
    return Gift(_until_now(intent)) if intent.checkout else _told_by_invoice(intent.customer, reads)


def _with_its_day(event: StripeEvent, told: objects.PaymentIntent, reads: Reads) -> objects.PaymentIntent:
    """What is told days after it was begun may be a debit. The event that tells of its money says the day; after any
    other it is read, and dated by the day Stripe lets it be used.
    """
    if not told.checkout or event.created_at - told.created_at <= AT_ONCE:
        return told
    if event.type in ARRIVALS:
        return replace(told, paid_at=event.created_at)
    return reads.payment_intent(told.id)


def _until_now(intent: objects.PaymentIntent) -> objects.PaymentIntent:
    """Money that has come has come by now, also a debit's that may be used only tomorrow."""
    is_debit = intent.paid_at - intent.created_at > AT_ONCE
    return replace(intent, paid_at=min(intent.paid_at, clock.now())) if is_debit else intent


def _told_by_invoice(customer: str, reads: Reads) -> Effect:
    """What carries no metadata belongs to an invoice, which tells it, or to somebody else: raises NotOurs."""
    whose.require(customer, reads)
    return nothing


def _instalment_with_bank(intent: objects.PaymentIntent, reads: Reads) -> Effect:
    """A debit for an invoice: no event about the invoice tells of it before the bank has answered, days later."""
    invoice = reads.invoice_of(intent.id)
    return instalment(invoice, reads) if invoice else _told_by_invoice(intent.customer, reads)


def _follow_session(session: objects.Session, invoice: objects.Invoice | None) -> None:
    checkout.follow(session)
    if session.payment_intent:
        ledger.record_gift(_until_now(session.payment_intent), is_accepted=session.status == "complete")
    if session.subscription:
        row = subscriptions.follow(session.subscription)
        if row and invoice:
            ledger.record_instalment(invoice, row)
