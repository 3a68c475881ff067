"""Events about money that had come: sent back, taken by the bank, paid out. The payment is read first if unknown."""

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
    """refund.*: money goes back, or comes back because the refund failed."""
    refund = reads.refund(event.object["id"])
    return in_turn(_payment_of(refund, reads), partial(refunds.follow, refund))


def dispute_changed(event: StripeEvent, reads: Reads) -> Effect:
    """charge.dispute.*: the bank took a gift back, asks, gave it back or keeps it."""
    dispute = reads.dispute(event.object["id"])
    return in_turn(_payment_of(dispute, reads), partial(disputes.follow, dispute))


def payout_changed(event: StripeEvent, reads: Reads) -> Effect:
    """payout.*: what Stripe pays out, tied to its lines once Stripe says that they are complete."""
    payout = reads.payout(event.object["id"])
    lines = reads.payout_lines(payout.id) if payout.has_lines else []
    return in_turn(partial(settlements.settle, lines), partial(payouts.follow, payout, origins.of_each(lines, reads)))


def _payment_of(taken: objects.Refund | objects.Dispute, reads: Reads) -> Effect:
    """Make sure that the payment is in the books; raises NotOurs when it is not of our making."""
    if refunds.payment_of(taken):
        return in_turn()
    intent_id = taken.payment_intent or reads.charge(taken.charge).payment_intent
    if intent_id and (intent := reads.payment_intent(intent_id)).checkout:
        return gift(intent, reads)
    if intent_id and (invoice_id := reads.invoice_of(intent_id)):
        return instalment(invoice_id, reads)
    raise NotOurs(taken.id)
