"""Handlers of events about money after it arrived: refunds, disputes, payouts.

A refund or dispute of a payment that is not recorded yet reads and records the payment first.
"""

from __future__ import annotations

from functools import partial

from payments.books import disputes, origins, payouts, refunds, settlements
from payments.errors import NotOurs
from payments.models import StripeEvent
from payments.stripe_api import objects
from payments.stripe_api.reads import Reads
from payments.webhooks.handlers.effects import Effect, in_turn
from payments.webhooks.handlers.giving import gift
from payments.webhooks.handlers.recurring import instalment


def refund_changed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle refund.*: money goes back, or returns because the refund failed."""
    refund = reads.refund(event.object["id"])
    return in_turn(_payment_of(refund, reads), partial(refunds.follow, refund))


def dispute_changed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle charge.dispute.*: the bank inquires about a gift, takes it back, returns it or keeps it."""
    dispute = reads.dispute(event.object["id"])
    return in_turn(_payment_of(dispute, reads), partial(disputes.follow, dispute))


def fraud_warned(event: StripeEvent, reads: Reads) -> Effect:
    """Handle radar.early_fraud_warning.created: what an issuer has said cannot change."""
    warning = objects.fraud_warning(event.object)
    return in_turn(_payment_of(warning, reads), partial(disputes.warn, warning))


def payout_changed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle payout.*: Stripe pays money out. Its lines are read once Stripe says that they are complete."""
    payout = reads.payout(event.object["id"])
    lines = reads.payout_lines(payout.id) if payout.has_lines else []
    lines_with_owners = origins.of_each(lines, reads)
    return in_turn(partial(settlements.settle, lines), partial(payouts.follow, payout, lines_with_owners))


def _payment_of(taken: objects.Refund | objects.Dispute | objects.FraudWarning, reads: Reads) -> Effect:
    """Return an effect that records the payment, or does nothing if it is recorded already.

    Raises NotOurs if the payment was not made through this installation.
    """
    if not (taken.payment_intent or taken.charge):
        raise NotOurs(taken.id)  # of a balance or a payment outside our reach: each of our payments names one
    if refunds.payment_of(taken):
        return in_turn()
    intent_id = taken.payment_intent or reads.charge(taken.charge).payment_intent
    if intent_id and (intent := reads.payment_intent(intent_id)).checkout:
        return gift(intent, reads)
    if intent_id and (invoice_id := reads.invoice_of(intent_id)):
        return instalment(invoice_id, reads)
    raise NotOurs(taken.id)
