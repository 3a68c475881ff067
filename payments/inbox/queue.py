"""The inbox's rules: an event is stored once, claimed by one drain at a time, retried, parked, never lost.

Real time throughout: leases and tries are no business of the movable clock. Works without Redis.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Min
from django.utils import timezone

from payments.models import StripeEvent
from payments.stripe_api.event_types import SYNCED

CHANNEL = "stripe_event"
LEASE = timedelta(seconds=60)
MAX_TRIES = 8
# How the error of an event begins that names a checkout of ours that our books lack.
LOST = "waits for a lost gift: "
LONGEST_WAIT = timedelta(hours=6)

_STORE = """
WITH new AS (
  INSERT INTO payments_stripeevent (id, type, account, is_livemode, is_sync, api_version, created_at, payload, state,
                                    attempts, next_try_at, error, received_at)
  VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 0, clock_timestamp(), '', clock_timestamp())
  ON CONFLICT (id) DO NOTHING RETURNING state)
SELECT pg_notify('stripe_event', '') FROM new
"""


def store(event: dict[str, Any], payload: bytes, state: StripeEvent.State, *, is_sync: bool = False) -> bool:
    """Store a verified event in one statement and wake the drain; False when it was here already.

    `event` is the parsed payload with its shape checked. One round trip, no ORM instance: this is the hot path.
    """
    row = (
        event["id"],
        event["type"][:100],
        event.get("account") or "",
        event.get("livemode") is True,
        is_sync,
        event.get("api_version") or "",
        datetime.fromtimestamp(event["created"], tz=UTC),
        payload,
        state,
    )
    with connection.cursor() as cursor:
        cursor.execute(_STORE, row)
        return cursor.rowcount > 0


def request_sync(kind: str, stripe_id: str, customer: str = "", *, every_seconds: int = 0) -> None:
    """Have an object of ours read from Stripe again, soon, through the same queue, locks and rules as its events.

    `kind` is one of event_types.SYNCED. With `every_seconds` the same object is read at most once in that time,
    however often it is asked for.
    """
    if kind not in SYNCED:
        raise ValueError(f"{kind} is not read again by itself")
    now = int(time.time())
    turn = now // every_seconds if every_seconds else time.time_ns()
    event = {
        "id": f"sync_{stripe_id}_{turn}",
        "object": "event",
        "type": f"sync.{kind}",
        "created": now,
        "data": {"object": {"object": kind, "id": stripe_id, "customer": customer}},
    }
    store(event, json.dumps(event).encode(), StripeEvent.State.PENDING, is_sync=True)


def claim(limit: int) -> list[StripeEvent]:
    """Take up to `limit` due events under a lease. Others skip them; a drain that dies loses them in a minute."""
    rows = StripeEvent.objects.raw(_CLAIM, [timezone.now() + LEASE, limit])
    return sorted(rows, key=lambda event: (event.received_at, event.pk))


_CLAIM = """
UPDATE payments_stripeevent SET lease_until = %s, attempts = attempts + 1
WHERE id IN (
  SELECT id FROM payments_stripeevent
  WHERE state IN ('pending', 'parked', 'failed') AND next_try_at <= clock_timestamp()
    AND (lease_until IS NULL OR lease_until < clock_timestamp())
  ORDER BY next_try_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING *
"""


def finish(events: Iterable[StripeEvent], state: StripeEvent.State, note: str = "") -> None:
    """Mark as worked, in the transaction of the effects."""
    ids = [event.pk for event in events]
    if ids:
        done = {"state": state, "error": note, "lease_until": None, "processed_at": timezone.now()}
        StripeEvent.objects.filter(pk__in=ids).update(**done)


def put_back(events: Iterable[StripeEvent], wait: timedelta) -> None:
    """Return to the queue what somebody else is working on; it does not count as a try."""
    rows = StripeEvent.objects.filter(pk__in=[event.pk for event in events])
    rows.update(lease_until=None, next_try_at=timezone.now() + wait, attempts=F("attempts") - 1)


def retry_later(event: StripeEvent, state: StripeEvent.State, error: str) -> None:
    """Try again with a growing delay. An event that failed by its own fault MAX_TRIES times is dead, and kept.

    Tries that Stripe did not answer, or that waited for another event, are no fault of its own.
    """
    is_own_fault = state == StripeEvent.State.FAILED
    failures = event.failures + is_own_fault
    if is_own_fault and failures >= MAX_TRIES:
        state = StripeEvent.State.DEAD
    wait = _delay(failures if is_own_fault else event.attempts)
    StripeEvent.objects.filter(pk=event.pk).update(
        state=state, failures=failures, error=error[:2000], lease_until=None, next_try_at=timezone.now() + wait
    )


def seconds_until_due(at_most: float) -> float:
    """How long a drain may sleep before something it put back or parked falls due."""
    waiting = StripeEvent.objects.filter(state__in=StripeEvent.WAITING)
    soonest = waiting.aggregate(soonest=Min("next_try_at"))["soonest"]
    if soonest is None:
        return at_most
    return min(at_most, max(0.05, (soonest - timezone.now()).total_seconds()))


def has_due() -> bool:
    """Is anything waiting that is due now, claimed or not?"""
    return StripeEvent.objects.filter(state__in=StripeEvent.WAITING, next_try_at__lte=timezone.now()).exists()


def _delay(attempts: int) -> timedelta:
    """2, 4, 8 ... seconds, at most six hours, with a little chance so that a crowd does not come back together."""
    # However long it waited: a power that no float holds would fail where failing is written down.
    seconds = min(2.0 ** min(attempts, 16), LONGEST_WAIT.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 - spreading load, not secrets
