"""The parameters that a change request sends to Stripe: stop, keep, pause, another amount.

Called by changes.py when a request is stored, and by change_calls.py when a stop is sent. Nothing here calls Stripe or
writes a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from payments.errors import NothingToChange, StripeRefused
from payments.models import Subscription, SubscriptionChange
from payments.stripe_api import objects

# In these states Stripe can end the subscription at the end of the paid period. One that is behind with a payment is
# ended immediately: otherwise Stripe would keep retrying the payment.
STOPS_AT_PERIOD_END = (Subscription.Status.ACTIVE, Subscription.Status.TRIALING)


def without_stop(subscription: Subscription) -> dict[str, Any]:
    """Return the parameters that cancel a requested stop; {} if none is requested, or if it is already cancelled."""
    return no_stop(subscription) if subscription.is_ending_or_asked_to else {}


def no_stop(subscription: Subscription) -> dict[str, Any]:
    """Return the parameters that cancel any stop that Stripe may have; {} if it can have none.

    An earlier request may cancel the stop already, but the new one can supersede it before it is sent. An end date
    that was agreed for later, and that the stop replaced, is set again.
    """
    asked = subscription.changes.filter(kind=SubscriptionChange.Kind.STOP, state__in=SubscriptionChange.UNSEEN)
    if subscription.is_alive and not subscription.is_stopping and not asked.exists():
        return {}
    if end := _agreed_end(subscription):
        return {"cancel_at": int(end.timestamp())}
    is_dated = subscription.cancel_at is not None and not subscription.cancel_at_period_end
    return {"cancel_at": ""} if is_dated else {"cancel_at_period_end": False}


def _agreed_end(subscription: Subscription) -> datetime | None:
    """Return the end date after the current period that holds without the stop; None if there is none."""
    end = subscription.cancel_at
    if subscription.cancel_at_period_end:
        stops = subscription.changes.filter(kind=SubscriptionChange.Kind.STOP)
        stop = stops.exclude(state__in=SubscriptionChange.GIVEN_UP).first()
        end = stop.end_before if stop else None
    return end if end and end > subscription.current_period_end else None


def without_pause(subscription: Subscription) -> dict[str, Any]:
    """Return the parameters that end a pause or a requested pause; {} if there is none."""
    return {"pause_collection": ""} if subscription.pauses_by(*SubscriptionChange.UNSEEN) else {}


def price(agreed: objects.Subscription, amount: int) -> dict[str, Any]:
    """Return the subscription's one item with another price, `amount` minor units of its currency per period.

    The rhythm is named in full: another one would begin a new period and be billed at once (A-100). Raises
    NothingToChange for a gift that our forms would not have made, because other items or a discount would stay, and for
    one that was lowered as far at Stripe meanwhile.
    """
    if not agreed.is_as_offered or amount >= agreed.amount:
        raise NothingToChange(agreed.id)
    price = {
        "currency": agreed.currency.lower(),
        "product": agreed.product,
        "unit_amount": amount,
        "recurring": {"interval": agreed.interval, "interval_count": agreed.interval_count},
    }
    return {"id": agreed.item, "quantity": 1, "price_data": price}


def is_about_product(problem: StripeRefused, params: Mapping[str, Any]) -> bool:
    """Return whether Stripe refused another price because of its product: archived, deleted, or made by Checkout."""
    return "items" in params and (problem.code == "product_inactive" or problem.param.endswith("[product]"))


def of_product(params: Mapping[str, Any], product: str) -> dict[str, Any]:
    """Return the parameters of another price with this product instead."""
    [item] = params["items"]
    return {**params, "items": [{**item, "price_data": {**item["price_data"], "product": product}}]}


def stop_params(subscription: Subscription, *, at_once: bool) -> dict[str, Any]:
    """Return the parameters that stop a subscription at the end of its paid period; {} if it must end immediately.

    It must if `at_once` is given, or if the subscription is behind with a payment.
    """
    ends_later = subscription.status in STOPS_AT_PERIOD_END and not at_once
    return {"cancel_at_period_end": True} if ends_later else {}
