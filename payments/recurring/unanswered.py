"""Requests that Stripe never answered, because somebody died or Stripe was away: asked again until they are.

Called by a task every minute. Which way is safe depends on what was asked; changes.py, refund_requests.py and
overdue.py know. A checkout and a visit to Stripe's portal are not among them: their reader begins anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import timedelta

from members import clock
from members.models import Supporter
from payments import cases, locks
from payments.books import refund_requests
from payments.errors import StripeRefused, StripeUnavailable
from payments.models import Case, OverdueTry, RefundRequest, StripeRequest, SubscriptionChange
from payments.recurring import changes, overdue

log = logging.getLogger("hromada.requests")

# Whoever asked first is still at it, or has just failed.
PATIENCE = timedelta(minutes=2)
SHOWN_TO_STAFF_AFTER = timedelta(hours=1)
# What Stripe accepted and no event has shown is read again: a refund for a day, then comparing with Stripe finds it.
UNSEEN_AFTER, UNSEEN_FOR = timedelta(minutes=10), timedelta(days=1)
State = StripeRequest.State


def take_up(seconds: float = 45) -> int:
    """Ask again what was left unanswered for two minutes; returns how many were answered. Safe at once, and twice.

    One that fails holds up no other: they are taken in any order, as long as time allows. After an hour each is a case.
    """
    until, answered = time.monotonic() + seconds, 0
    for request in _left_open():
        if time.monotonic() > until:
            break
        with locks.taken([request.turn]) as ours:
            answered += bool(ours) and _is_answered(request)
    _show_to_staff()
    _read_accepted_again()
    return answered


def note_refused(request: StripeRequest, problem: StripeRefused) -> None:
    """Show staff a request that Stripe refused while nobody was looking. Once a request."""
    facts = {**_facts(request), "reason": str(problem)}
    cases.open_case(Case.Kind.REQUEST_REFUSED, f"{_name(request)}:refused", _supporter(request), facts)


def _left_open() -> Iterator[StripeRequest]:
    old = {"state": State.REQUESTED, "generation_at__lte": clock.now() - PATIENCE}
    yield from SubscriptionChange.objects.filter(**old).select_related("subscription__supporter").order_by("?")
    yield from RefundRequest.objects.filter(**old).select_related("payment__supporter").order_by("?")
    yield from OverdueTry.objects.filter(**old).select_related("payment__supporter").order_by("?")


def _is_answered(request: StripeRequest) -> bool:
    try:
        if isinstance(request, SubscriptionChange):
            changes.ask(request)
        elif isinstance(request, RefundRequest):
            refund_requests.ask_refund(request)
        elif isinstance(request, OverdueTry):
            overdue.ask(request)
    except StripeUnavailable as problem:
        log.info("still unanswered: %s (%s)", request.idempotency_key, problem)
        return False
    except StripeRefused as problem:
        note_refused(request, problem)
    except Exception as problem:  # one request that cannot be asked must not hold up the others
        log.error("request %s cannot be asked: %s", request.idempotency_key, type(problem).__name__)
        return False
    return True


def _show_to_staff() -> None:
    for model in (SubscriptionChange, RefundRequest, OverdueTry):
        old = clock.now() - SHOWN_TO_STAFF_AFTER
        for request in model._default_manager.filter(state=State.REQUESTED, requested_at__lte=old):
            key = f"{_name(request)}:unanswered"
            cases.open_case(Case.Kind.REQUEST_UNANSWERED, key, _supporter(request), _facts(request))


def _read_accepted_again() -> None:
    now = clock.now()
    old = {"state": State.ACCEPTED, "requested_at__lte": now - UNSEEN_AFTER}
    for change in SubscriptionChange.objects.filter(**old).select_related("subscription"):
        try:
            changes.look_at_unseen(change)
        except (StripeUnavailable, StripeRefused) as problem:
            log.info("not read again: %s (%s)", change.idempotency_key, type(problem).__name__)
    for request in RefundRequest.objects.filter(**old, requested_at__gte=now - UNSEEN_FOR).select_related("payment"):
        refund_requests.read_again(request)


def _name(request: StripeRequest) -> str:
    return f"{request._meta.model_name}:{request.public_id}"


def _supporter(request: StripeRequest) -> Supporter:
    is_about_payment = isinstance(request, RefundRequest | OverdueTry)
    holder = request.payment if is_about_payment else request.subscription  # type: ignore[attr-defined]
    supporter: Supporter = holder.supporter
    return supporter


def _facts(request: StripeRequest) -> dict[str, object]:
    if isinstance(request, RefundRequest):
        return {"payment": request.payment_id, "amount": [request.amount, request.payment.currency]}
    if isinstance(request, OverdueTry):
        return {"payment": request.payment_id, "amount": [request.payment.amount, request.payment.currency]}
    return {"subscription": request.subscription_id}  # type: ignore[attr-defined]
