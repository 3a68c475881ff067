"""Create the invoices of a subscription and finalize them: number, payment intent, hosted page.

Collecting them is in invoicing.py. Called by invoicing.py, subscriptions.py, checkout.py and settlement.py.
"""

from __future__ import annotations

from stripe_simulator.objects import invoices
from stripe_simulator.objects.payments import payment_intent
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


def create(world: World, subscription: Document, reason: str) -> Document:
    """Create the draft invoice for a subscription's current period. `reason` is its billing_reason."""
    customer = world.get("customer", subscription["customer"])
    invoice = world.add(invoices.invoice(world, subscription, customer, reason), "invoice.created")
    world.update(subscription, latest_invoice=invoice["id"], _prorations=[])
    return invoice


def finalize(world: World, invoice: Document, intent: Document | None = None, *, uses_balance: bool = True) -> Document:
    """Open an invoice: give it its number and its payment intent; return the intent, a new one unless given.

    An intent that is given was taken by Checkout already, in full. Without `uses_balance` the customer's stays as it
    is, as for an invoice of a pause: docs.stripe.com/billing/subscriptions/pause-payment.
    """
    customer = world.get("customer", invoice["customer"])
    number = customer["next_invoice_sequence"]
    world.update(customer, next_invoice_sequence=number + 1)
    if intent is None and uses_balance:
        _use_balance(world, invoice, customer)
    else:
        due = invoice["total"]
        world.update(invoice, amount_due=due, amount_remaining=due, starting_balance=0)
    intent = intent or new_intent(world, invoice)
    world.add(invoices.invoice_payment(world, invoice, intent))
    world.update(
        invoice,
        status="open",
        number=f"{customer['invoice_prefix']}-{number:04}",
        effective_at=world.now(),
        automatically_finalizes_at=None,
        hosted_invoice_url=f"{world.base_url}/invoices/{invoice['id']}",
        invoice_pdf=f"{world.base_url}/invoices/{invoice['id']}/pdf",
        status_transitions={**invoice["status_transitions"], "finalized_at": world.now()},
        _intent=intent["id"],
    )
    world.emit("invoice.finalized", invoice)
    return intent


def _use_balance(world: World, invoice: Document, customer: Document) -> None:
    """Take a part of the invoice from the customer's credit, or add a debt (docs.stripe.com/billing/customer/balance).

    Credit that covers all of it is used by invoicing.py: then there is nothing to pay.
    """
    before = customer["balance"]
    due = invoice["total"] + before
    world.update(customer, balance=0)
    world.update(invoice, amount_due=due, amount_remaining=due, starting_balance=before, ending_balance=0)


def new_intent(world: World, invoice: Document, amount: int | None = None) -> Document:
    """Create a payment intent for an invoice or for a part of it. As at Stripe, it has no metadata of its own."""
    first = invoice["billing_reason"] == "subscription_create"
    intent = payment_intent(
        world,
        invoice["amount_due"] if amount is None else amount,
        invoice["currency"],
        customer=invoice["customer"],
        description="Subscription creation" if first else "Subscription update",
        setup_future_usage="off_session",
    )
    return world.add(intent, "payment_intent.created")


def subscription_of(world: World, invoice: Document) -> Document:
    return world.get("subscription", invoice["_subscription"])


def intent_of(world: World, invoice: Document) -> Document:
    return world.get("payment_intent", invoice["_intent"])


def of_intent(world: World, intent: Document) -> Document | None:
    """Return the invoice of a payment intent; None if it has none."""
    found = world.store.where("invoice", _intent=intent["id"])
    return found[0] if found else None
