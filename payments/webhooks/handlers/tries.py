"""Handlers of events about a card that did not go through: each try is counted (payments/guard/).

Several events tell of one try; it is counted once. What the event says about a gift is handled as before.
"""

from __future__ import annotations

from payments.errors import NotOurs
from payments.models import StripeEvent
from payments.stripe_api import objects
from payments.stripe_api.reads import Reads
from payments.stripe_api.trying import failed
from payments.webhooks.handlers import giving, ownership
from payments.webhooks.handlers.effects import Effect, counting, fact, in_turn, nothing


def payment_failed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle payment_intent.payment_failed: a try, and perhaps a debit that the bank refused days after its order.

    A recurring gift's first intent names no checkout: what is not ours by the books may still be a try on our page.
    """
    tried = fact(event, objects.payment_intent, reads.payment_intent).failed
    counted = counting(tried, event.created_at)
    try:
        return in_turn(giving.gift_changed(event, reads), counted or nothing)
    except NotOurs:
        if counted is None:
            raise
        return counted


def charge_failed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle charge.failed: the same try. Its intent or invoice reports what it means for a gift."""
    charge = fact(event, objects.charge, reads.charge)
    counted = counting(failed.of_charge(event.object, charge.checkout), event.created_at)
    if counted is None and not charge.checkout:
        ownership.require(charge.customer, reads)
    return counted or nothing


def setup_failed(event: StripeEvent, reads: Reads) -> Effect:
    """Handle setup_intent.setup_failed: a patron's other card was not accepted at Stripe's portal."""
    counted = counting(failed.of_intent(event.object), event.created_at)
    if counted is None:
        ownership.require(objects.customer_of(event.object), reads)
    return counted or nothing
