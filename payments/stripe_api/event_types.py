"""The Stripe event types that are handled: one list for the handlers and for the webhook endpoint at Stripe.

Also the types that are left out, each with its reason, and the objects that are read again on our own request.
"""

from __future__ import annotations

HANDLED: tuple[str, ...] = (
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "customer.updated",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "invoice.created",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.finalization_failed",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "invoice_payment.paid",
    "payment_intent.succeeded",
    "payment_intent.processing",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.succeeded",
    "charge.updated",
    "charge.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "mandate.updated",
    "setup_intent.setup_failed",
    "payment_method.attached",
    "payment_method.updated",
    "payment_method.automatically_updated",
    "payment_method.detached",
    "payout.created",
    "payout.updated",
    "payout.paid",
    "payout.failed",
    "payout.canceled",
    "payout.reconciliation_completed",
    "radar.early_fraud_warning.created",
)

# Types that are left out on purpose, each with the reason. docs/operations.md lists the same.
NOT_HANDLED: dict[str, str] = {
    "charge.refunded": "the refund.* events report each refund by itself; the nightly comparison checks the sums",
    "invoice.upcoming": "it names no invoice, and our own dates decide who is reminded when",
    "invoice.payment_succeeded": "invoice.paid reports the same, and invoices paid by hand too",
    "invoice.overpaid": "Stripe collects each of our invoices once; a surplus in the balance is found within the hour",
    "invoice.payment_attempt_required": "it asks for a payment attempt outside Stripe, which we never make",
    "setup_intent.succeeded": "a card added at Stripe's portal is reported by customer.updated and payment_method.*",
    "payment_intent.created": "nothing has happened yet; acting on it caused duplicates in other software",
}

# Objects that inbox.queue.request_sync can have read again: processed like events, of a type such as sync.subscription.
SYNCED: tuple[str, ...] = (
    "checkout.session",
    "payment_intent",
    "subscription",
    "invoice",
    "refund",
    "dispute",
    "payout",
)
