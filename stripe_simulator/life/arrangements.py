"""Arrangements that staff make in the dashboard and no form offers: items, prices, discounts, credit, other days.

Also payments of one invoice by several ways. Called by dashboard.py; bills follow from objects/invoices.py.
"""

from __future__ import annotations

import copy
from typing import Any

from stripe_simulator.life import charging, endings, invoicing, methods, subscriptions
from stripe_simulator.life.finalizing import intent_of, new_intent
from stripe_simulator.life.methods import Means
from stripe_simulator.objects import billing, checkout, invoices
from stripe_simulator.world.errors import invalid, not_simulated
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

UPDATED = "customer.subscription.updated"


def set_price(
    world: World, subscription: Document, amount: int | None, decimal: str, interval: str, count: int, quantity: int
) -> None:
    """Give the first item another price, without prorations; another rhythm begins a period that is billed now.

    With `amount` None the price is `decimal`, with fractions of the smallest unit.
    """
    _check_running(subscription)
    items = copy.deepcopy(subscription["items"])
    price = _price(world, subscription, amount, decimal, interval, count)
    items["data"][0].update(price=price, plan=billing.plan(price), quantity=quantity)
    subscriptions.change_items(world, subscription, items)


def add_item(world: World, subscription: Document, amount: int, quantity: int) -> None:
    """Add an item of the same rhythm; it is billed from the next period on."""
    _check_running(subscription)
    items = copy.deepcopy(subscription["items"])
    first = items["data"][0]
    price = _price(world, subscription, amount, "", *subscriptions.rhythm(first))
    added = {**copy.deepcopy(first), "id": world.new_id("si", 14), "price": price, "quantity": quantity}
    items["data"].append({**added, "plan": billing.plan(price)})
    subscriptions.change_items(world, subscription, items)


def discount(world: World, subscription: Document, percent: int) -> None:
    """Put a coupon on the subscription that takes this share off each of its bills from now on."""
    _check_running(subscription)
    coupon = {"type": "coupon", "coupon": world.new_id("cpn", 8)}
    made = world.add(
        {
            "id": world.new_id("di"),
            "object": "discount",
            **dict.fromkeys(("checkout_session", "customer_account", "end", "invoice", "invoice_item")),
            **dict.fromkeys(("promotion_code", "subscription_item")),
            "customer": subscription["customer"],
            "source": coupon,
            "start": world.now(),
            "subscription": subscription["id"],
            "_percent": percent,
        }
    )
    world.update(subscription, UPDATED, discounts=[made["id"]])


def credit(world: World, customer: Document, amount: int) -> None:
    """Add to the customer's credit, in minor units; below zero it is a debt. The next invoice uses it."""
    world.update(customer, "customer.updated", balance=customer["balance"] - amount)


def prorate(world: World, subscription: Document, amounts: list[int]) -> None:
    """Put lines for a change in the middle of the period on the next bill: credits are below zero."""
    _check_running(subscription)
    world.update(subscription, _prorations=[*subscription.get("_prorations", []), *amounts])


def move_billing_day(world: World, subscription: Document, end: int) -> None:
    """Move the billing day to a later time, as `trial_end` does: nothing is billed before, and cycles count from it."""
    _check_running(subscription)
    if subscription["status"] == "paused":
        raise not_simulated("a trial of a paused subscription", "trial_end")
    subscriptions.set_period(subscription, world.now(), end)
    changes = {"trial_start": world.now(), "trial_end": end, "billing_cycle_anchor": end}
    world.update(subscription, UPDATED, status="trialing", _cycle=-1, **changes)
    subscriptions.schedule_renewal(world, subscription)


def pay_by_another(world: World, invoice: Document, card: str, amount: int) -> None:
    """Charge `amount` of an open invoice to a card, by a payment beside its default one, or all that is left if 0.

    The default payment goes on with what remains; after the last part it is canceled. Raises StripeRefusal for an
    invoice that is not open, or whose payment is with the bank, and for more than what is left.
    """
    left = invoice["amount_remaining"]
    if invoice["status"] != "open" or intent_of(world, invoice)["status"] == "processing" or amount > left:
        raise invalid(f"Invoice is {invoice['status']} with {left} to pay, so that {amount} cannot be charged.")
    person = world.get("customer", invoice["customer"])
    method = methods.make(world, Means(card, None, None), person["email"], person["name"])
    first = next(row for row in world.store.where("invoice_payment", invoice=invoice["id"]) if row["is_default"])
    part = amount or left
    new = new_intent(world, invoice, part)
    second = world.add({**invoices.invoice_payment(world, invoice, new), "is_default": False, "amount_requested": part})
    charging.attempt(world, new, method, renewal=True)
    moments = {"canceled_at": None, "paid_at": world.now()}
    world.update(second, "invoice_payment.paid", status="paid", amount_paid=part, status_transitions=moments)
    old = intent_of(world, invoice)
    if part < left:
        paid = invoice["amount_due"] - left + part
        world.update(invoice, "invoice.updated", amount_paid=paid, amount_remaining=left - part)
        world.update(first, amount_requested=left - part)
        world.update(old, amount=left - part)
        return
    charging.cancel(world, old, "void_invoice")
    world.update(first, status="canceled", status_transitions={"canceled_at": world.now(), "paid_at": None})
    invoicing.paid_by(world, invoice)
    subscription = world.get("subscription", invoice["_subscription"])
    if subscription["status"] == "incomplete":  # "once the first invoice is paid": stripe.Subscription.status
        world.update(subscription, UPDATED, status="active")
        subscriptions.schedule_renewal(world, subscription)


def end_for(world: World, subscription: Document, reason: str) -> None:
    """End a subscription for a reason that nobody asked for: `payment_disputed`, `canceled_by_retention_policy`."""
    endings.end(world, subscription, reason=reason)


def foreign_session(world: World, customer: Document) -> Document:
    """Complete a session of other software that saves a card: it has neither amount nor currency."""
    given: dict[str, Any] = {"mode": "setup", "customer": customer["id"], "payment_status": "no_payment_required"}
    made = checkout.session(world, **given, status="complete")
    return world.add(made, "checkout.session.completed")


def foreign_refund(world: World, like: Document) -> Document:
    """Refund a customer's cash balance for other software: it names neither charge nor intent, and no status."""
    none = dict.fromkeys(("charge", "payment_intent", "payment_method", "balance_transaction", "status"))
    made = {**copy.deepcopy(like), **none, "id": world.new_id("re"), "metadata": {}, "created": world.now()}
    return world.add({key: value for key, value in made.items() if key != "_seq"}, "refund.created")


def _check_running(subscription: Document) -> None:
    """Raise StripeRefusal for a subscription that has ended: only its metadata can be changed."""
    if subscription["status"] in endings.ENDED:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")


def _price(
    world: World, subscription: Document, amount: int | None, decimal: str, interval: str, count: int
) -> Document:
    product = subscriptions.item_of(subscription)["price"]["product"]
    recurring = {"interval": interval, "interval_count": count}
    made = checkout.price(world, product, subscription["currency"], amount or 0, recurring)
    if amount is None:
        made.update(unit_amount=None, unit_amount_decimal=decimal)
    return world.add(made)
