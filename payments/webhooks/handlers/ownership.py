"""Whether a customer at Stripe belongs to this installation, for events that carry no metadata of ours.

Reads our rows first and Stripe where they have nothing. Called by handlers, outside the transaction.
"""

from __future__ import annotations

from payments.errors import NotOurs, NotYet
from payments.giving import checkout as checkouts
from payments.models import Payment, Subscription
from payments.recurring.subscriptions import NOT_BEGUN
from payments.stripe_api.reads import Reads


def require(customer: str, reads: Reads) -> None:
    """Raise NotOurs unless a subscription or payment of ours belongs to this customer, in our database or at Stripe."""
    if _is_known(customer) or any(map(checkouts.is_name, reads.named_for(customer))):
        return
    if not (_has_subscription(customer, reads) or _has_gift(customer, reads)):
        raise NotOurs(customer or "no customer")


def wait_for(customer: str, reads: Reads) -> None:
    """Raise NotOurs as `require` does, or NotYet while a gift of this customer is at Stripe but not recorded here."""
    require(customer, reads)
    if _is_known(customer):
        return
    if _has_subscription(customer, reads, begun=True) or _has_gift(customer, reads, on_its_way=True):
        raise NotYet(f"a gift of customer {customer}")


def _is_known(customer: str) -> bool:
    if not customer:
        return False
    of_customer = {"stripe_customer_id": customer}
    return Subscription.objects.filter(**of_customer).exists() or Payment.objects.filter(**of_customer).exists()


def _has_subscription(customer: str, reads: Reads, *, begun: bool = False) -> bool:
    """Return whether Stripe has a subscription of ours for this customer; with `begun`, one that has begun."""
    found = reads.subscriptions_of(customer) if customer else []
    ours = [agreed for agreed in found if checkouts.is_name(agreed.checkout)]
    return any(not begun or agreed.status not in NOT_BEGUN for agreed in ours)


def _has_gift(customer: str, reads: Reads, *, on_its_way: bool = False) -> bool:
    """Return whether Stripe has a one-off gift of ours from this customer; with `on_its_way`, received or ordered."""
    found = reads.intents_of(customer) if customer else []
    ours = [intent for intent in found if checkouts.is_name(intent.checkout)]
    return any(not on_its_way or intent.is_on_its_way for intent in ours)
