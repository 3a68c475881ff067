"""Giving again as the same customer at Stripe: through a link of ours, and for the address that it went to.

The link names an earlier gift. Who only types an address gets a new customer, and so does a friend to whom a letter was
forwarded: their address is another one. Called by the letters and pages that offer to give again (token), and by
giving/sessions.py (customer).
"""

from __future__ import annotations

from members.links import public_ids, signed
from payments.models import Checkout, Frequency, Payment, Subscription

PURPOSE = "again"


def token(gift: Payment | Subscription) -> str:
    """Return the value of `again` in an address where one can give again; "" for a gift that did not begin here."""
    begun = gift.checkout
    if begun is None and isinstance(gift, Payment) and gift.subscription:
        begun = gift.subscription.checkout
    return signed.sign(PURPOSE, str(begun.public_id)) if begun else ""


def customer(again: str, email: str, frequency: str, currency: str) -> str:
    """Return Stripe's id of the customer who made an earlier gift; "" if a new customer is to be made.

    `again` is whatever came with the form: a token that is invalid or has expired counts as none. A customer at Stripe
    pays all recurring gifts in one currency (docs/assumed-of-stripe.md).
    """
    gift = _gift(again)
    if gift is None or gift.supporter.email.lower() != email.lower():
        return ""
    others = Subscription.objects.filter(stripe_customer_id=gift.stripe_customer_id).exclude(currency=currency)
    return gift.stripe_customer_id if frequency == Frequency.ONCE or not others.exists() else ""


def _gift(again: str) -> Payment | Subscription | None:
    """Return the gift that a token names: the recurring one, else the payment."""
    public_id = public_ids.parse(signed.read(PURPOSE, again))
    begun = Checkout.objects.filter(public_id=public_id).first() if public_id else None
    if begun is None:
        return None
    regular = Subscription.objects.select_related("supporter").filter(checkout=begun).first()
    return regular or begun.payments.select_related("supporter").exclude(stripe_customer_id="").first()
