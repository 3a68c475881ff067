"""A subscription after its first payment: renewal, pause, new cycle, cancellation, end.

Periods are counted from the billing cycle anchor. Collecting money is in invoicing.py.
"""

from __future__ import annotations

from typing import Any

from stripe_simulator.life import endings, finalizing, invoicing
from stripe_simulator.objects import billing, invoices
from stripe_simulator.world.clock import DAY, duty, period_start
from stripe_simulator.world.errors import not_simulated
from stripe_simulator.world.rendering import visible
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


def item_of(subscription: Document) -> Document:
    return subscription["items"]["data"][0]


def period_end(subscription: Document) -> int:
    return item_of(subscription)["current_period_end"]


def set_period(subscription: Document, start: int, end: int) -> None:
    """Set the period of all items: they have one rhythm here. An end with the period moves with it."""
    for item in subscription["items"]["data"]:
        item.update(current_period_start=start, current_period_end=end)
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = end


def ends_with_period(subscription: Document) -> bool:
    """Return whether no period follows the current one: it is to end with it, or on a date within it."""
    ends_at = subscription["cancel_at"]
    return subscription["cancel_at_period_end"] or (ends_at is not None and ends_at <= period_end(subscription))


def start(world: World, customer: Document, price: Document, quantity: int, **given: Any) -> Document:
    """Create a subscription. It is incomplete until its first invoice is paid or its debit is processing."""
    subscription = billing.subscription(world, customer["id"], price["currency"], **given)
    subscription["items"] = billing.subscription_items(world, subscription, price, quantity)
    return world.add(subscription)


def schedule_renewal(world: World, subscription: Document) -> None:
    """Schedule the renewal at the end of the current period, and invoice.upcoming days before it."""
    for name in ("renew", "upcoming"):
        world.unschedule(name, subscription["id"])
    end = period_end(subscription)
    world.schedule(end, "renew", subscription["id"])
    reminder = end - world.policy.upcoming_days * DAY
    if reminder > world.now():
        world.schedule(reminder, "upcoming", subscription["id"])


@duty("upcoming")
def announce(world: World, id: str) -> None:
    """Emit invoice.upcoming, unless the subscription ends first. Its invoice does not exist yet and has no id."""
    subscription = world.get("subscription", id)
    if subscription["status"] in endings.ENDED or ends_with_period(subscription):
        return
    world.emit("invoice.upcoming", preview(world, subscription, with_id=False))


def preview(world: World, subscription: Document, *, with_id: bool = True) -> Document:
    """Return the next invoice as it would be, without storing it."""
    ahead = visible(subscription) | {"_prorations": subscription.get("_prorations", [])}
    number = subscription["_cycle"] + 1
    start, end = _bounds(subscription, number), _bounds(subscription, number + 1)
    set_period(ahead, start, end)
    customer = world.get("customer", subscription["customer"])
    invoice = invoices.invoice(world, ahead, customer, "upcoming")
    id = "upcoming_" + invoice["id"]
    invoice.update(id=id, created=start, period_start=item_of(subscription)["current_period_start"])
    invoice.update(period_end=start, next_payment_attempt=start, automatically_finalizes_at=None)
    invoice["lines"]["url"] = f"/v1/invoices/{id}/lines"
    for line in invoice["lines"]["data"]:
        line["invoice"] = id if with_id else None
    if not with_id:
        del invoice["id"]
        invoice["lines"]["url"] = f"/v1/invoices/upcoming/lines?subscription={subscription['id']}"
    return invoice


def _bounds(subscription: Document, number: int) -> int:
    recurring = item_of(subscription)["price"]["recurring"]
    return period_start(
        subscription["billing_cycle_anchor"], recurring["interval"], recurring["interval_count"], number
    )


@duty("renew")
def renew(world: World, id: str) -> None:
    """Begin the next period and bill it, or end the subscription if requested. Does nothing before the period ends."""
    subscription = world.get("subscription", id)
    if subscription["status"] in endings.ENDED or period_end(subscription) > world.now():
        return
    if ends_with_period(subscription):
        endings.end(world, subscription, reason="cancellation_requested")
        return
    if subscription["status"] == "paused":
        return
    before = _before_period(subscription)
    _next_period(world, subscription)
    invoice = finalizing.create(world, subscription, "subscription_cycle")
    world.emit("customer.subscription.updated", subscription, before)
    schedule_renewal(world, subscription)
    _bill(world, subscription, invoice, world.policy.draft_seconds)


def _before_period(subscription: Document) -> dict[str, Any]:
    """Return items and latest_invoice from before the new period, for the event's previous_attributes."""
    return visible({"items": subscription["items"], "latest_invoice": subscription["latest_invoice"]})


def _next_period(world: World, subscription: Document) -> None:
    number = subscription["_cycle"] + 1
    previous = item_of(subscription)["current_period_start"]
    set_period(subscription, _bounds(subscription, number), _bounds(subscription, number + 1))
    status = "active" if subscription["status"] == "trialing" else subscription["status"]
    world.update(subscription, status=status, _cycle=number, _previous_start=previous, _recovery=0)


def _bill(world: World, subscription: Document, invoice: Document, draft_seconds: int) -> None:
    """Collect an invoice, now or after the delay of a draft; while collection is paused, as its behavior says."""
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    if behavior == "keep_as_draft":
        world.update(invoice, auto_advance=False, automatically_finalizes_at=None, next_payment_attempt=None)
    elif behavior:
        finalizing.finalize(world, invoice, uses_balance=False)
        (invoicing.void if behavior == "void" else invoicing.mark_uncollectible)(world, invoice)
    elif draft_seconds:
        world.schedule(world.now() + draft_seconds, "finalize", invoice["id"])
    else:
        invoicing.finalize_and_collect(world, invoice["id"])


@duty("cancel")
def cancel_when_due(world: World, id: str) -> None:
    subscription = world.get("subscription", id)
    if subscription["cancel_at"] and subscription["cancel_at"] <= world.now():
        endings.end(world, subscription, reason="cancellation_requested")


@duty("resume_collection")
def resume_collection(world: World, id: str) -> None:
    subscription = world.get("subscription", id)
    pause = subscription["pause_collection"]
    if pause and pause["resumes_at"] and pause["resumes_at"] <= world.now():
        told = "customer.subscription.updated" if world.policy.resume_is_told else None
        world.update(subscription, told, pause_collection=None)


def ending(world: World, subscription: Document, at_period_end: bool) -> dict[str, Any]:
    """Return the changes that request an end with the period or, if False, withdraw that request."""
    details = dict(subscription["cancellation_details"])
    details["reason"] = "cancellation_requested" if at_period_end else None
    return {
        "cancel_at_period_end": at_period_end,
        "cancel_at": period_end(subscription) if at_period_end else None,
        "canceled_at": world.now() if at_period_end else None,
        "cancellation_details": details,
    }


def pause(world: World, subscription: Document) -> None:
    paused = {"subscription": {"type": "pause_requested"}, "transitioned_at": world.now(), "type": "subscription"}
    world.update(subscription, "customer.subscription.paused", status="paused", status_details={"paused": paused})
    world.unschedule("renew", subscription["id"])
    world.unschedule("upcoming", subscription["id"])


def resume(world: World, subscription: Document) -> None:
    """Resume a paused subscription with a new cycle that begins and is billed now: Stripe's default."""
    restart_cycle(world, subscription)
    world.update(subscription, status="active", status_details=None)
    world.emit("customer.subscription.resumed", subscription)
    bill_now(world, subscription, "subscription_update")


def rhythm(item: Document) -> tuple[str, int]:
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def change_items(world: World, subscription: Document, items: Document, **changes: Any) -> None:
    """Give a subscription other items, without prorations, and make other changes with them.

    Another rhythm begins a new period, which is billed now. Raises StripeRefusal for items of different rhythms, and
    for another rhythm of a subscription that is paused or in a trial: neither is simulated.
    """
    restarts = rhythm(item_of(subscription)) != rhythm(items["data"][0])
    if len({rhythm(item) for item in items["data"]}) > 1:
        raise not_simulated("items of different rhythms", "items")
    if restarts and subscription["status"] in ("paused", "trialing"):
        raise not_simulated("another rhythm of a subscription that is paused or in a trial", "items")
    changes["items"] = items
    before = {key: visible(subscription[key]) for key, value in changes.items() if subscription[key] != value}
    world.update(subscription, **changes)
    if restarts:
        restart_cycle(world, subscription)
    world.emit("customer.subscription.updated", subscription, before)
    if restarts:
        bill_now(world, subscription, "subscription_update")


def restart_cycle(world: World, subscription: Document) -> None:
    world.update(subscription, billing_cycle_anchor=world.now(), _cycle=0, _recovery=0)
    set_period(subscription, _bounds(subscription, 0), _bounds(subscription, 1))
    world.store.put(subscription)
    schedule_renewal(world, subscription)


def bill_now(world: World, subscription: Document, reason: str) -> None:
    before = {"latest_invoice": subscription["latest_invoice"]}
    invoice = finalizing.create(world, subscription, reason)
    world.emit("customer.subscription.updated", subscription, before)
    _bill(world, subscription, invoice, draft_seconds=0)


def cancel(world: World, subscription: Document, at_period_end: bool) -> None:
    """Cancel a subscription at the end of its period, or end it now."""
    if at_period_end:
        world.update(subscription, "customer.subscription.updated", **ending(world, subscription, True))
        return
    details = {**subscription["cancellation_details"], "reason": "cancellation_requested"}
    world.update(subscription, cancellation_details=details, canceled_at=world.now())
    endings.end(world, subscription)
