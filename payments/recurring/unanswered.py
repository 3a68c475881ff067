"""Retries of requests that Stripe has not answered, because a process died or Stripe was unavailable.

Called by a task every minute. change_calls.py, method_changes.py, overdue.py and books/refund_requests.py know how
to repeat a request safely. A checkout and a visit to Stripe's portal are not retried: their reader starts again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import QuerySet

from members import clock
from members.models import Supporter
from payments import cases, locks
from payments.books import refund_requests
from payments.errors import StripeRefused, StripeUnavailable
from payments.models import Case, MethodChange, OverdueTry, RefundRequest, StripeRequest, SubscriptionChange
from payments.recurring import bills, change_calls, method_changes, overdue

log = logging.getLogger("hromada.requests")

# A younger request may still be under way in the process that made it.
PATIENCE = timedelta(minutes=2)
SHOWN_TO_STAFF_AFTER = timedelta(hours=1)
# An accepted request whose result no event has shown after ten minutes is read from Stripe. A refund only for a day:
# from then on the comparison with Stripe finds it.
UNSEEN_AFTER = timedelta(minutes=10)
UNSEEN_FOR = timedelta(days=1)
State = StripeRequest.State
R = TypeVar("R", bound=StripeRequest)


def retry(seconds: float = 45) -> int:
    """Retry requests unanswered for two minutes, for about this many seconds; return how many were answered.

    A refusal is an answer, and opens a case. So does a request that is unanswered for an hour. Requests are retried in
    random order, so that one that always fails does not hold up the others. Safe to call concurrently: a request that
    another process is sending is skipped. Never call it inside a transaction.
    """
    deadline = time.monotonic() + seconds
    answered = 0
    for request in _unanswered():
        if time.monotonic() > deadline:
            break
        with locks.taken([request.turn]) as taken:
            answered += bool(taken) and _retry_one(request)
    _check_bills()
    _open_cases()
    _read_accepted()
    return answered


def note_refused(request: StripeRequest, problem: StripeRefused) -> None:
    """Open a case for a request that Stripe refused, once per request; the caller decides when a case is needed."""
    facts = {**_facts(request), "reason": str(problem)}
    cases.open_case(Case.Kind.REQUEST_REFUSED, f"{_name(request)}:refused", _supporter(request), facts)


def note_refused_newest(requests: QuerySet[Any], problem: StripeRefused) -> None:
    """Open a case if the newest of these requests was refused, so that staff see it before the reader writes."""
    newest = requests.order_by("-requested_at", "-pk").first()
    if newest and newest.state == State.FAILED:
        note_refused(newest, problem)


def _unanswered() -> Iterator[StripeRequest]:
    old = {"state": State.REQUESTED, "generation_at__lte": clock.now() - PATIENCE}
    yield from SubscriptionChange.objects.filter(**old).select_related("subscription__supporter").order_by("?")
    yield from RefundRequest.objects.filter(**old).select_related("payment__supporter").order_by("?")
    yield from MethodChange.objects.filter(**old).select_related("subscription__supporter").order_by("?")
    yield from OverdueTry.objects.filter(**old).select_related("payment__supporter").order_by("?")


def _retry_one(request: StripeRequest) -> bool:
    """Send one request again; return whether Stripe answered. A refusal is an answer, and opens a case.

    Logs any other error of this request, and raises none.
    """
    try:
        if isinstance(request, SubscriptionChange):
            change_calls.ask(request)
        elif isinstance(request, RefundRequest):
            refund_requests.ask_refund(request)
        elif isinstance(request, OverdueTry):
            overdue.ask(request)
        elif isinstance(request, MethodChange):
            method_changes.ask(request)
    except StripeUnavailable as problem:
        log.info("still unanswered: %s (%s)", request.idempotency_key, problem)
        return False
    except StripeRefused as problem:
        note_refused(request, problem)
    except Exception as problem:  # one request that cannot be sent must not hold up the others
        log.error("request %s cannot be sent: %s", request.idempotency_key, type(problem).__name__)
        return False
    return True


def _check_bills() -> None:
    """Look at the invoices of accepted changes whose process died, or for which Stripe did not answer, by then."""
    for change in _with_open_bills():
        with locks.taken([change.turn]) as taken:
            if taken:
                change_calls.check_bills(change)


def _with_open_bills() -> QuerySet[SubscriptionChange]:
    changes = SubscriptionChange.objects.filter(has_bills_to_check=True, state__in=bills.ACCEPTED)
    return changes.select_related("subscription__supporter").order_by("?")


def _open_cases() -> None:
    """Open a case, once per request, for each request that Stripe has not answered, or not in full, for an hour."""
    for model in (SubscriptionChange, MethodChange, RefundRequest, OverdueTry):
        old = clock.now() - SHOWN_TO_STAFF_AFTER
        for request in model._default_manager.filter(state=State.REQUESTED, requested_at__lte=old):
            key = f"{_name(request)}:unanswered"
            why = {"reason": request.error} if request.error else {}
            cases.open_case(Case.Kind.REQUEST_UNANSWERED, key, _supporter(request), {**_facts(request), **why})
    for change in _with_open_bills().filter(requested_at__lte=clock.now() - SHOWN_TO_STAFF_AFTER):
        key = f"{_name(change)}:unanswered"
        why = {"reason": change.error} if change.error else {}
        cases.open_case(Case.Kind.REQUEST_UNANSWERED, key, _supporter(change), {**_facts(change), **why})


def _read_accepted() -> None:
    """Check accepted requests whose result no event has shown."""
    now = clock.now()
    old = {"state": State.ACCEPTED, "requested_at__lte": now - UNSEEN_AFTER}
    for change in SubscriptionChange.objects.filter(**old).select_related("subscription"):
        _check(change, change_calls.check_accepted)
    for method_change in MethodChange.objects.filter(**old).select_related("subscription"):
        _check(method_change, method_changes.check_accepted)
    for request in RefundRequest.objects.filter(**old, requested_at__gte=now - UNSEEN_FOR).select_related("payment"):
        refund_requests.read_again(request)


def _check(request: R, check_accepted: Callable[[R], None]) -> None:
    try:
        check_accepted(request)
    except (StripeUnavailable, StripeRefused) as problem:
        log.info("not read again: %s (%s)", request.idempotency_key, type(problem).__name__)


def _name(request: StripeRequest) -> str:
    return f"{request._meta.model_name}:{request.public_id}"


def _supporter(request: StripeRequest) -> Supporter:
    is_about_payment = isinstance(request, RefundRequest | OverdueTry)
    gift = request.payment if is_about_payment else request.subscription  # type: ignore[attr-defined]
    supporter: Supporter = gift.supporter
    return supporter


def _facts(request: StripeRequest) -> dict[str, object]:
    if isinstance(request, RefundRequest):
        return {"payment": request.payment_id, "amount": [request.amount, request.payment.currency]}
    if isinstance(request, OverdueTry):
        return {"payment": request.payment_id, "amount": [request.payment.amount, request.payment.currency]}
    return {"subscription": request.subscription_id}  # type: ignore[attr-defined]
