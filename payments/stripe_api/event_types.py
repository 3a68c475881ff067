"""The Stripe event types we act on: the one constant for the handlers and for the endpoint registered at Stripe."""

from __future__ import annotations

HANDLED: tuple[str, ...] = (
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "invoice.paid",
    "invoice.payment_failed",
    "payment_intent.succeeded",
    "payment_intent.processing",
    "payment_intent.payment_failed",
    "charge.succeeded",
    "charge.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
)

# Requests of our own to read an object again, stored and worked like events.
SYNC_SESSION = "sync.checkout.session"
SYNC_SUBSCRIPTION = "sync.subscription"
