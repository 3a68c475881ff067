"""The handler of each of Stripe's event types. Called by the drain (webhooks/drain.py).

A handler reads from Stripe what it needs, outside the transaction, and returns an effect to run inside it. State (a
subscription, an invoice) is always read again, because events come in any order. A fact that cannot change (a received
gift) is taken from the event if the event was rendered at our API version.
"""

from __future__ import annotations

from payments.webhooks.handlers import afterwards, giving, recurring, tries
from payments.webhooks.handlers.effects import Effect, Gift, Handler

HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": giving.session_changed,
    "checkout.session.expired": giving.session_changed,
    "checkout.session.async_payment_succeeded": giving.session_changed,
    "checkout.session.async_payment_failed": giving.session_changed,
    "payment_intent.succeeded": giving.gift_received,
    "payment_intent.processing": giving.gift_changed,
    "payment_intent.payment_failed": tries.payment_failed,
    "payment_intent.canceled": giving.gift_changed,
    "charge.succeeded": giving.charge_reported,
    "charge.updated": giving.charge_reported,
    "charge.failed": tries.charge_failed,
    "setup_intent.setup_failed": tries.setup_failed,
    "customer.subscription.created": recurring.subscription_changed,
    "customer.subscription.updated": recurring.subscription_changed,
    "customer.subscription.deleted": recurring.subscription_changed,
    "customer.subscription.paused": recurring.subscription_changed,
    "customer.subscription.resumed": recurring.subscription_changed,
    "invoice.created": recurring.invoice_changed,
    "invoice.paid": recurring.invoice_changed,
    "invoice.payment_failed": recurring.invoice_changed,
    "invoice.payment_action_required": recurring.invoice_changed,
    "invoice.voided": recurring.invoice_changed,
    "invoice.marked_uncollectible": recurring.invoice_changed,
    "invoice_payment.paid": recurring.invoice_part_paid,
    "invoice.finalization_failed": recurring.invoice_unfinished,
    "payment_method.attached": recurring.method_changed,
    "payment_method.updated": recurring.method_changed,
    "payment_method.automatically_updated": recurring.method_changed,
    "payment_method.detached": recurring.method_changed,
    "mandate.updated": recurring.mandate_changed,
    "customer.updated": recurring.customer_changed,
    "customer.deleted": recurring.customer_deleted,
    "refund.created": afterwards.refund_changed,
    "refund.updated": afterwards.refund_changed,
    "refund.failed": afterwards.refund_changed,
    "charge.dispute.created": afterwards.dispute_changed,
    "charge.dispute.updated": afterwards.dispute_changed,
    "charge.dispute.closed": afterwards.dispute_changed,
    "charge.dispute.funds_withdrawn": afterwards.dispute_changed,
    "charge.dispute.funds_reinstated": afterwards.dispute_changed,
    "payout.created": afterwards.payout_changed,
    "payout.updated": afterwards.payout_changed,
    "payout.paid": afterwards.payout_changed,
    "payout.failed": afterwards.payout_changed,
    "payout.canceled": afterwards.payout_changed,
    "payout.reconciliation_completed": afterwards.payout_changed,
    "radar.early_fraud_warning.created": afterwards.fraud_warned,
    # Our own requests to read an object again.
    "sync.checkout.session": giving.session_changed,
    "sync.payment_intent": tries.payment_failed,
    "sync.subscription": recurring.subscription_changed,
    "sync.invoice": recurring.invoice_changed,
    "sync.refund": afterwards.refund_changed,
    "sync.dispute": afterwards.dispute_changed,
    "sync.payout": afterwards.payout_changed,
}

# Types that report a card which did not go through.
FAILED_TRIES = {kind for kind, handler in HANDLERS.items() if handler.__module__ == tries.__name__}

__all__ = ["FAILED_TRIES", "HANDLERS", "Effect", "Gift", "Handler"]
