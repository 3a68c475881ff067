"""The one way to ask Stripe for something: the row is committed first, its id is the key, its parameters are frozen.

Called by the rules that change something at Stripe (subscriptions.py, refund_requests.py), from a door or when a
request was left unanswered (unanswered.py). What Stripe did is told by its events; here is only what it answered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from django.db import transaction

from members import clock
from payments import locks
from payments.crash_points import crash_at
from payments.errors import KeySpent, StripeRefused
from payments.models import StripeRequest

log = logging.getLogger("hromada.requests")

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
State = StripeRequest.State

# Stripe forgets an idempotency key after 24 hours: what is older may be done already, and is looked up first.
KEY_LIFETIME = timedelta(hours=23)


class Call(Protocol[T_co]):
    def __call__(self, params: Mapping[str, Any], *, key: str) -> T_co: ...


def ask(
    request: StripeRequest, call: Call[T], look_up: Callable[[], T | None], params: dict[str, Any] | None = None
) -> T | None:
    """Ask Stripe, or ask again: exactly one effect, whatever died before. None when it had been answered meanwhile.

    `look_up` says at Stripe whether it was done already, for a key that is forgotten or spent. Other `params` than the
    frozen ones begin a new generation. Raises StripeUnavailable (the request stays open and is taken up again) and
    StripeRefused (it has failed). Never inside a transaction; at once from several processes one asks, others wait.
    """
    with locks.held(request.turn):
        with transaction.atomic(durable=True):  # raises within a transaction: the row must have been committed
            request.refresh_from_db()
        if request.state == State.FAILED:
            raise StripeRefused(request.error)
        if request.state != State.REQUESTED:
            return None
        if params is not None and params != request.stripe_params:
            _begin_generation(request, params)
        try:
            answer = _answer(request, call, look_up)
        except StripeRefused as error:
            _settle(request, State.FAILED, str(error))
            raise
        _settle(request, State.ACCEPTED)
        return answer


def _answer(request: StripeRequest, call: Call[T], look_up: Callable[[], T | None]) -> T:
    if clock.now() - request.generation_at < KEY_LIFETIME:
        try:
            return _asked(request, call)
        except KeySpent:
            log.info("key of %s is spent: looked up", request.idempotency_key)
    done = look_up()
    if done is not None:
        return done
    _begin_generation(request, request.stripe_params)
    return _asked(request, call)


def _asked(request: StripeRequest, call: Call[T]) -> T:
    crash_at("before-stripe-write")
    answer = call(request.stripe_params, key=request.idempotency_key)
    crash_at("after-stripe-write")
    return answer


def _begin_generation(request: StripeRequest, params: dict[str, Any]) -> None:
    """Committed before the call, like the first one."""
    request.generation += 1
    request.generation_at, request.stripe_params = clock.now(), params
    request.save(update_fields=["generation", "generation_at", "stripe_params"])
    log.info("begun anew: %s", request.idempotency_key)


def _settle(request: StripeRequest, state: StripeRequest.State, error: str = "") -> None:
    """An event may have been faster: what was seen stays seen."""
    rows = type(request)._default_manager.filter(pk=request.pk)
    rows.filter(state=State.REQUESTED).update(state=state, error=error)
    request.refresh_from_db(fields=["state", "error"])
