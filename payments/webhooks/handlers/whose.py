"""Whose a customer is, for events that carry no metadata: our rows are asked first, Stripe where they are silent.

Called by handlers, outside the transaction.
"""

from __future__ import annotations

from payments.errors import NotOurs, NotYet
from payments.giving import checkout as checkouts
from payments.models import Payment, Subscription
from payments.recurring.subscriptions import NOT_BEGUN
from payments.stripe_api.reads import Reads


def require(customer: str, reads: Reads) -> None:
    """Raises NotOurs when nothing of ours belongs to this customer, here or at Stripe."""
    if _is_known(customer) or any(map(checkouts.is_name, reads.named_for(customer))):
        return
    if not (_agreements(customer, reads) or _gifts(customer, reads)):
        raise NotOurs(customer or "no customer")


def wait_for(customer: str, reads: Reads) -> None:
    """As `require`, and raises NotYet while something of this customer's at Stripe is on its way into our books."""
    require(customer, reads)
    if not _is_known(customer) and (_agreements(customer, reads, begun=True) or _gifts(customer, reads, come=True)):
        raise NotYet(f"what customer {customer} gives")


def _is_known(customer: str) -> bool:
    if not customer:
        return False
    theirs = {"stripe_customer_id": customer}
    return Subscription.objects.filter(**theirs).exists() or Payment.objects.filter(**theirs).exists()


def _agreements(customer: str, reads: Reads, *, begun: bool = False) -> bool:
    ours = [one for one in reads.subscriptions_of(customer) if checkouts.is_name(one.checkout)] if customer else []
    return any(not begun or one.status not in NOT_BEGUN for one in ours)


def _gifts(customer: str, reads: Reads, *, come: bool = False) -> bool:
    ours = [one for one in reads.intents_of(customer) if checkouts.is_name(one.checkout)] if customer else []
    return any(not come or one.is_on_its_way for one in ours)
