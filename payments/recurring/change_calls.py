"""Sending change requests to Stripe, and checking those that Stripe accepted.

Called by changes.py and undoing.py for a request that was just stored, and by unanswered.py for the others. Stripe's
effect on the subscription is read and stored by subscriptions.py.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from payments import stripe_requests
from payments.errors import KEY_REFUSED, KeyRefused, NothingToChange, StripeMissing, StripeRefused, StripeUnavailable
from payments.giving import sessions
from payments.models import Subscription, SubscriptionChange
from payments.recurring import bills, change_params, subscriptions
from payments.stripe_api import client

log = logging.getLogger("hromada.requests")

Kind, State = SubscriptionChange.Kind, SubscriptionChange.State


def ask(change: SubscriptionChange) -> None:
    """Send a change request to Stripe, or send it again, look at the invoices that exist, and queue a read.

    Requests about one subscription are sent one after another; a superseded one is not sent. Idempotent; safe to call
    concurrently. Never call it inside a transaction. Raises StripeUnavailable (the request stays open and will be
    retried; no read is queued), StripeRefused (a read is queued) and NothingToChange (the gift at Stripe is another one
    than ours: the request is dropped). If only the invoices could not be looked at, it raises nothing: unanswered.py
    does it later.
    """
    subscription = Subscription.objects.get(pk=change.subscription_id)
    prepare = partial(_params, subscription, change)
    try:
        stripe_requests.ask(change, partial(_call, subscription), partial(_is_done, subscription, change), prepare)
    except NothingToChange:
        SubscriptionChange.objects.filter(pk=change.pk, state=State.REQUESTED).update(state=State.SUPERSEDED)
        subscriptions.read_again(subscription)
        raise
    except StripeRefused:
        subscriptions.read_again(subscription)
        raise
    check_bills(change)
    subscriptions.read_again(subscription)


def check_bills(change: SubscriptionChange) -> bool:
    """Look at the invoices that exist although Stripe accepted this change; return whether Stripe answered."""
    try:
        bills.check(change)
    except (StripeUnavailable, StripeRefused) as problem:
        log.info("invoices not looked at: %s (%s)", change.idempotency_key, type(problem).__name__)
        error = f"{KEY_REFUSED}{problem}" if isinstance(problem, KeyRefused) else ""
        SubscriptionChange.objects.filter(pk=change.pk, has_bills_to_check=True).update(error=error)
        return False
    return True


def check_accepted(change: SubscriptionChange) -> None:
    """Check a request that Stripe accepted but that no read of the subscription has confirmed.

    If the subscription at Stripe is as requested, queue a read of it. Otherwise it was changed back at Stripe: mark
    the request as superseded, so that the same change can be requested again. Idempotent. Never call it inside a
    transaction. Raises StripeUnavailable, StripeRefused.
    """
    agreed = client.read_subscription(change.subscription.stripe_subscription_id)
    if change.is_shown_by(agreed):
        subscriptions.read_again(change.subscription)
    else:
        accepted = SubscriptionChange.objects.filter(pk=change.pk, state=SubscriptionChange.State.ACCEPTED)
        accepted.update(state=SubscriptionChange.State.SUPERSEDED)


def _params(subscription: Subscription, change: SubscriptionChange) -> dict[str, Any]:
    """Return the parameters of a change as things are now; what an immediate end needs to know is stored before.

    How a subscription is to end may differ since the request was stored. A lower amount is put together with the
    first try, from the item at Stripe. Raises NothingToChange, StripeUnavailable, StripeRefused.
    """
    with client.missing_means_missing():
        if change.kind == Kind.STOP:
            params = change_params.stop_params(subscription, at_once=change.at_once)
            if not params:
                bills.note_others(change)
            return params
        if change.kind == Kind.AMOUNT and "items" not in change.stripe_params:
            agreed = client.read_subscription(subscription.stripe_subscription_id)
            return {**change.stripe_params, "items": [change_params.price(agreed, change.amount or 0)]}
    return change.stripe_params


def _call(subscription: Subscription, params: Mapping[str, Any], *, key: str) -> bool:
    """Update the subscription at Stripe; without parameters, cancel it immediately.

    If Stripe takes no other price of the product that Checkout made, or that staff archived, one of our own is made.
    A key has no effect on DELETE (https://docs.stripe.com/api/idempotent_requests): after a lost answer the second try
    finds nothing to cancel, and the subscription itself says whether the first one worked.
    """
    stripe_id = subscription.stripe_subscription_id
    if params:
        try:
            client.update_subscription(stripe_id, params, key=key)
        except StripeRefused as problem:
            if not change_params.is_about_product(problem, params):
                raise
            log.info("another product: %s (%s)", key, problem)
            name = sessions.product_name(subscription.supporter.language)
            product = client.create_product({"name": name}, key=f"{key}:own_product")
            client.update_subscription(stripe_id, change_params.of_product(params, product), key=f"{key}:own")
        return True
    try:
        client.cancel_subscription(stripe_id, params, key=key)
    except StripeMissing:
        if client.read_subscription(stripe_id).status not in Subscription.NOT_ALIVE:
            raise
    return True


def _is_done(subscription: Subscription, change: SubscriptionChange) -> bool | None:
    """Return True if the subscription at Stripe is as requested, None if it is not.

    A stop that must end the subscription immediately is done only when the subscription is over.
    """
    agreed = client.read_subscription(subscription.stripe_subscription_id)
    is_over = agreed.status in Subscription.NOT_ALIVE
    ends_later = subscription.status in change_params.STOPS_AT_PERIOD_END
    return True if change.is_shown_by(agreed) and (is_over or ends_later or change.kind != Kind.STOP) else None
