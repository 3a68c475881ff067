"""Payment methods: created from a test number, attached to a customer, made the default, revoked."""

from __future__ import annotations

from dataclasses import dataclass

from stripe_simulator.objects.people import card_method, mandate, method_elsewhere, sepa_method
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


@dataclass(frozen=True)
class Means:
    """A test card or test bank account, as typed on a hosted page. `expires` is (month, year).

    `elsewhere` is "multibanco" (a voucher) or "us_bank_account" (small deposits): see life/elsewhere.py.
    """

    card: str | None = "4242424242424242"
    iban: str | None = None
    expires: tuple[int, int] | None = None
    elsewhere: str | None = None


def make(world: World, means: Means, email: str | None, name: str | None) -> Document:
    """Create a payment method. Raises cards.UnknownNumber for any number but a test number."""
    if means.elsewhere:
        return world.add(method_elsewhere(world, means.elsewhere, email, name))
    if means.iban:
        return world.add(sepa_method(world, means.iban, email, name))
    return world.add(card_method(world, means.card or "", email, name, means.expires))


def mandate_for(world: World, method: Document) -> str | None:
    """Return the id of a bank debit's mandate, created on first use; None for a card."""
    if method["type"] != "sepa_debit":
        return None
    known = world.store.where("mandate", payment_method=method["id"])
    return known[0]["id"] if known else world.add(mandate(world, method))["id"]


def revoke_mandate(world: World, method: Document) -> None:
    """Revoke the mandate of a bank debit, as the reader can at the bank: later debits fail immediately."""
    mandate = world.get("mandate", mandate_for(world, method))
    world.update(mandate, "mandate.updated", status="inactive")


def renew_card(world: World, method: Document, expires: tuple[int, int], *, by_hand: bool = False) -> None:
    """Set a card's expiry, (month, year), and emit payment_method.automatically_updated.

    `by_hand`: as from the dashboard, with payment_method.updated.
    """
    card = {**method["card"], "exp_month": expires[0], "exp_year": expires[1]}
    world.update(method, "payment_method.updated" if by_hand else "payment_method.automatically_updated", card=card)


def attach(world: World, method: Document, customer: Document) -> None:
    if method["customer"] == customer["id"]:
        return
    world.update(method, customer=customer["id"])
    world.emit("payment_method.attached", method)


def make_default(world: World, method: Document, customer: Document) -> None:
    """Make a method the customer's default, as the hosted portal does. A subscription's own stays, and goes first.

    One that is the default already changes nothing, and no event tells of it.
    https://docs.stripe.com/customer-management/portal-deep-links, `payment_method_update`
    """
    attach(world, method, customer)
    if customer["invoice_settings"]["default_payment_method"] == method["id"]:
        return
    settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
    world.update(customer, "customer.updated", invoice_settings=settings)


def use_for_subscriptions(world: World, method: Document, customer: Document) -> None:
    """Make a method the own default of each running subscription of the customer, as staff can in the dashboard."""
    for subscription in world.store.where("subscription", customer=customer["id"]):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            world.update(subscription, "customer.subscription.updated", default_payment_method=method["id"])


def of_subscription(world: World, subscription: Document) -> Document | None:
    """Return the method that a subscription is charged with: its own default, else the customer's, or None."""
    customer = world.store.get("customer", subscription["customer"]) or {}
    fallback = customer.get("invoice_settings", {}).get("default_payment_method")
    return world.store.get("payment_method", subscription["default_payment_method"] or fallback)
