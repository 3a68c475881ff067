"""The parameters that a change of a recurring gift sends to Stripe: stop, keep, pause, another price.

Plain values of rows, asked for by changes.py when a change is written down; nothing here calls Stripe or writes.
"""

from __future__ import annotations

from typing import Any

from payments.models import Subscription, SubscriptionChange
from payments.stripe_api import objects

# Stripe ends the subscription itself when it is to stop at the period's end. One that is behind with a payment is
# ended at once: otherwise the retries would go on.
STOPS_AT_PERIOD_END = (Subscription.Status.ACTIVE, Subscription.Status.TRIALING)


def without_stop(subscription: Subscription) -> dict[str, Any]:
    """What takes back a stop that was asked for; nothing when none was, or a later wish takes it back already."""
    return no_stop(subscription) if subscription.is_ending_or_asked_to else {}


def no_stop(subscription: Subscription) -> dict[str, Any]:
    """What takes back any stop that Stripe may know of, whatever was wished since: the wish that took it back may be
    overtaken by this one, and never reach Stripe.
    """
    asked = subscription.changes.filter(kind=SubscriptionChange.Kind.STOP, state__in=SubscriptionChange.UNSEEN)
    if subscription.is_alive and not subscription.is_stopping and not asked.exists():
        return {}
    is_dated = subscription.cancel_at is not None and not subscription.cancel_at_period_end
    return {"cancel_at": ""} if is_dated else {"cancel_at_period_end": False}


def without_pause(subscription: Subscription) -> dict[str, Any]:
    return {"pause_collection": ""} if subscription.pauses_by(*SubscriptionChange.UNSEEN) else {}


def price(agreed: objects.Subscription, amount: int) -> dict[str, Any]:
    """The subscription's one line with another price."""
    price = {
        "currency": agreed.currency.lower(),
        "product": agreed.product,
        "unit_amount": amount,
        "recurring": {"interval": agreed.interval},
    }
    return {"id": agreed.item, "quantity": 1, "price_data": price}


def stop_params(subscription: Subscription, *, at_once: bool) -> dict[str, Any]:
    """Nothing where it is to end now."""
    ends_later = subscription.status in STOPS_AT_PERIOD_END and not at_once
    return {"cancel_at_period_end": True} if ends_later else {}
