"""Sending a change request to Stripe: its row is committed first, gives the idempotency key and keeps the parameters.

Called by books/refund_requests.py and by changes.py, overdue.py and portal.py in recurring/, also when unanswered.py
retries. Stores only Stripe's answer: the effect of a request arrives as events. Checkouts are sent by
giving/checkout.py.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from celery import current_app
from django.db import transaction

from members import clock
from payments import locks
from payments.crash_points import crash_at
from payments.errors import KEY_REFUSED, KEY_REUSED, KeyRefused, KeyReused, KeySpent, StripeRefused
from payments.models import StripeRequest

log = logging.getLogger("hromada.requests")

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
State = StripeRequest.State

# Stripe forgets an idempotency key after 24 hours. An older request may have been carried out already, so its result
# is looked up before it is sent under a new key.
KEY_LIFETIME = timedelta(hours=23)


class Call(Protocol[T_co]):
    """A write of stripe_api/client.py, with everything but parameters and key filled in."""

    def __call__(self, params: Mapping[str, Any], *, key: str) -> T_co: ...


def ask(
    request: StripeRequest,
    call: Call[T],
    look_up: Callable[[], T | None],
    prepare: Callable[[], dict[str, Any]] | None = None,
) -> T | None:
    """Send a committed request to Stripe and return its answer; None if the request is no longer open.

    Not open are requests that Stripe accepted before, that an event confirmed, or that a later request replaced.
    However often it is sent, and whichever process died while sending, it takes effect once. `look_up` asks Stripe
    for the result of an earlier try, and returns None if there is none; it is used when the key is forgotten or spent.
    `prepare` may read from Stripe and returns the parameters: if they differ from the stored ones, they are stored and
    sent under a new key. What it raises counts as the answer.

    Raises StripeUnavailable (the request stays open and is retried later; a fault of our key is stored on it),
    StripeRefused (the request has failed, now or before), and RuntimeError inside a transaction. Safe to call
    concurrently: one process sends, the others wait.
    """
    with locks.held(request.turn):
        with transaction.atomic(durable=True):  # raises within a transaction: the row must have been committed
            request.refresh_from_db()
        if request.state == State.FAILED:
            raise StripeRefused(request.error)
        if request.state != State.REQUESTED:
            return None
        try:
            params = prepare() if prepare else request.stripe_params
            if params != request.stripe_params:
                _begin_generation(request, params)
            answer = _answer(request, call, look_up)
        except KeyRefused as error:
            _record_answer(request, State.REQUESTED, f"{KEY_REFUSED}{error}")
            raise
        except KeyReused as error:
            log.error("key %s was sent with other parameters before", request.idempotency_key)
            _record_answer(request, State.REQUESTED, f"{KEY_REUSED}{error}")
            raise
        except StripeRefused as error:
            log.warning("refused: %s (%s)", request.idempotency_key, error)
            _record_answer(request, State.FAILED, str(error))
            raise
        _record_answer(request, State.ACCEPTED)
        return answer


def wake(task: str, row_id: int) -> None:
    """Try once to have a worker send the request with this id. Call it after the commit.

    Without Redis, unanswered.py finds the request two minutes later.
    """
    try:
        current_app.send_task(task, args=(row_id,), retry=False)
    except Exception as problem:  # the request is committed, so no error of the broker may break the caller
        log.warning("no worker was woken for %s (%s)", task, type(problem).__name__)


def _answer(request: StripeRequest, call: Call[T], look_up: Callable[[], T | None]) -> T:
    """Send the request under its key; if the key is too old or spent, return the earlier result or use a new key."""
    if clock.now() - request.generation_at < KEY_LIFETIME:
        try:
            return _send(request, call)
        except KeySpent:
            log.info("key %s is spent: looking up the result", request.idempotency_key)
    done = look_up()
    if done is not None:
        return done
    _begin_generation(request, request.stripe_params)
    return _send(request, call)


def _send(request: StripeRequest, call: Call[T]) -> T:
    crash_at("before-stripe-write")
    answer = call(request.stripe_params, key=request.idempotency_key)
    crash_at("after-stripe-write")
    return answer


def _begin_generation(request: StripeRequest, params: dict[str, Any]) -> None:
    """Give the request a new idempotency key and these parameters. Committed before the call to Stripe."""
    request.generation += 1
    request.generation_at, request.stripe_params = clock.now(), params
    request.save(update_fields=["generation", "generation_at", "stripe_params"])
    log.info("new key: %s", request.idempotency_key)


def _record_answer(request: StripeRequest, state: StripeRequest.State, error: str = "") -> None:
    """Store Stripe's answer, or why there is none yet, unless an event has already marked the request as seen."""
    rows = type(request)._default_manager.filter(pk=request.pk)
    rows.filter(state=State.REQUESTED).update(state=state, error=error)
    request.refresh_from_db(fields=["state", "error"])
