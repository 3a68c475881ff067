"""End a subscription: now, at the end of the paid period, or after its last retry failed."""

from __future__ import annotations

from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

ENDED = ("canceled", "incomplete_expired")


def end(world: World, subscription: Document, *, reason: str | None = None) -> None:
    """End a subscription and stop collecting the open invoices of its customer. Idempotent.

    `canceled_at` keeps the time of an earlier request to cancel; `ended_at` is now. As Stripe says of finalized
    invoices only, a draft is still finished and collected (docs/assumed-of-stripe.md A-087 to A-089).
    """
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
    for invoice in world.store.where("invoice", customer=subscription["customer"], status="open"):
        world.unschedule("retry", invoice["id"])
        world.update(invoice, auto_advance=False, next_payment_attempt=None)
    world.emit("customer.subscription.deleted", subscription)
