"""How a subscription ends: now, at the end of what was paid, or because no retry went through."""

from __future__ import annotations

from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

ENDED = ("canceled", "incomplete_expired")


def end(world: World, subscription: Document, *, reason: str | None = None) -> None:
    """Safe to call twice. `canceled_at` keeps the moment somebody asked, `ended_at` is now."""
    if subscription["status"] in ENDED:
        return
    for duty in ("renew", "cancel", "resume_collection", "upcoming"):
        world.unschedule(duty, subscription["id"])
    details = dict(subscription["cancellation_details"])
    details["reason"] = details["reason"] or reason
    world.update(
        subscription,
        status="canceled",
        canceled_at=subscription["canceled_at"] or world.now(),
        ended_at=world.now(),
        cancel_at_period_end=False,
        cancellation_details=details,
    )
    for invoice in world.store.where("invoice", _subscription=subscription["id"]):
        if invoice["status"] in ("draft", "open"):
            # Stripe stops collecting what is open when a subscription is canceled.
            world.unschedule("retry", invoice["id"])
            world.update(invoice, auto_advance=False, next_payment_attempt=None)
    world.emit("customer.subscription.deleted", subscription)
