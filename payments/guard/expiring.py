"""Closing sessions at Stripe in which too many cards failed, or which a suspicious source has opened.

A request is a row, written in the transaction of the event that told of the try; the drain sends it after its batch,
so that neither Redis nor a worker is needed. Stripe's own event then says that the session is over.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet

from members import clock
from payments import locks, stripe_requests
from payments.errors import StripeRefused, StripeUnavailable
from payments.guard import tries
from payments.models import Checkout, FailedTry, SessionExpiry
from payments.stripe_api import client
from payments.stripe_api.sdk.connection import hurried

log = logging.getLogger("hromada.guard")

MOST_IN_SESSION = 5
MOST_AT_A_TIME = 500
# How long the drain sends nothing here after Stripe did not answer, so that events do not wait for it.
PAUSE_SECONDS = 20.0
State = SessionExpiry.State


def request_after(row: FailedTry, *, is_guarded: bool) -> None:
    """Request that what this try calls for is closed, in the caller's transaction. Idempotent.

    That is its session, after MOST_IN_SESSION tries or, while the door is guarded, with a card that failed in other
    gifts too; and all open sessions of a source that has become suspicious.
    """
    checkout = _open().filter(pk=row.checkout_id).first() if row.checkout_id else None
    is_known = is_guarded and tries.is_card_suspicious(row.card)
    if checkout and (is_known or tries.of_session(checkout) >= MOST_IN_SESSION):
        _request([checkout])
    if suspicious := tries.suspects() & {*row.networks, row.address}:
        of_source = Q(origin__networks__overlap=list(suspicious)) | Q(origin__address__in=suspicious)
        lately = Q(origin__noted_at__gte=clock.now() - tries.LONGEST_SESSION)
        _request(list(_open().filter(of_source, lately)[:MOST_AT_A_TIME]))


def _open() -> QuerySet[Checkout]:
    """Return the checkouts whose session is open at Stripe and not to be closed yet."""
    asked = SessionExpiry.objects.filter(stripe_session_id=OuterRef("stripe_session_id"))
    return Checkout.objects.filter(~Exists(asked), status=Checkout.Status.OPEN).exclude(stripe_session_id=None)


def _request(checkouts: Iterable[Checkout]) -> None:
    rows = [SessionExpiry(checkout=one, stripe_session_id=one.stripe_session_id or "") for one in checkouts]
    SessionExpiry.objects.bulk_create(rows, ignore_conflicts=True)


def send(seconds: float = 5.0) -> int:
    """Send the requests that wait, oldest first, for about so long; return how many Stripe answered.

    One that another process is sending is left out. A refusal is an answer: the session was paid or is over. When
    Stripe does not answer, the rest waits for PAUSE_SECONDS. Safe to call concurrently. Never call it in a transaction.
    """
    global _silent_until
    started, answered = time.monotonic(), 0
    if started < _silent_until:
        return 0
    for row in SessionExpiry.objects.filter(state=State.REQUESTED).order_by("requested_at", "pk"):
        if time.monotonic() - started > seconds:
            break
        with locks.taken([row.turn]) as taken, hurried():
            if taken and not _send(row):
                _silent_until = time.monotonic() + PAUSE_SECONDS
                break
            answered += bool(taken)
    return answered


_silent_until = 0.0


def forget_silence() -> None:
    """Send again at once, although Stripe did not answer. For tests."""
    global _silent_until
    _silent_until = 0.0


def _send(row: SessionExpiry) -> bool:
    """Send one request; return whether Stripe answered."""

    def close(params: object, *, key: str) -> bool:
        client.expire_checkout_session(row.stripe_session_id, key=key)
        return True

    try:
        stripe_requests.ask(row, close, lambda: None)
    except StripeUnavailable as problem:
        log.info("session not closed yet: %s (%s)", row.idempotency_key, type(problem).__name__)
        return False
    except StripeRefused as problem:
        log.info("session was over: %s (%s)", row.idempotency_key, problem)
    return True


def was_closed(checkout: Checkout) -> bool:
    """Return whether the checkout's last session was closed because too many cards failed there."""
    return checkout.expiries.filter(stripe_session_id=checkout.stripe_session_id).exists()
