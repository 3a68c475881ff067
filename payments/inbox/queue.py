"""The queue of events: an event is stored once, claimed by one drain at a time, and retried until it is done.

Used by the webhook (store), the drain (claim, finish, put_back, retry_later) and by rules that need a fresh read of an
object (request_sync). Real time throughout: moving the business date changes nothing here. Works without Redis.
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

from payments.inbox import late, retention
from payments.models import StripeEvent
from payments.stripe_api.event_types import SYNCED

CHANNEL = "stripe_event"
LEASE = timedelta(seconds=60)
MAX_TRIES = 8
# Start of the error of an event that names a checkout whose row is missing here.
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
    """Store a verified event and wake the drain. Return False if its id is stored already. Safe to call concurrently.

    `event` is the parsed payload, its form already checked. One statement without the ORM, because every webhook waits
    for it. Of an event that no drain will see, and that is about an erased person, only ids are stored.
    """
    if state not in StripeEvent.WAITING:
        payload = _without_erased(event, payload)
    row = (
        event["id"],
        event["type"][:100],
        str(event.get("account") or "")[:255],
        event.get("livemode") is True,
        is_sync,
        str(event.get("api_version") or "")[:40],
        datetime.fromtimestamp(event["created"], tz=UTC),
        payload,
        state,
    )
    with connection.cursor() as cursor:
        cursor.execute(_STORE, row)
        return cursor.rowcount > 0


def _without_erased(event: dict[str, Any], payload: bytes) -> bytes:
    """Return the payload, reduced to ids if it is about an erased person."""
    if not late.is_about_erased(payload):
        return payload
    created_at = datetime.fromtimestamp(event["created"], tz=UTC)
    return retention.reduced(StripeEvent(id=event["id"], type=event["type"], created_at=created_at, payload=payload))


def request_sync(kind: str, stripe_id: str, customer: str = "", *, every_seconds: int = 0) -> None:
    """Queue a read of an object from Stripe, processed by the same rules and under the same locks as its events.

    `kind` is one of event_types.SYNCED, else it raises ValueError. With `every_seconds`, further calls for the same
    object in that time do nothing.
    """
    turn = int(time.time()) // every_seconds if every_seconds else time.time_ns()
    event = _sync(kind, stripe_id, f"sync_{stripe_id}_{turn}", customer)
    store(event, json.dumps(event).encode(), StripeEvent.State.PENDING, is_sync=True)


def _sync(kind: str, stripe_id: str, name: str, customer: str) -> dict[str, Any]:
    """Return our own event, with this name, that asks for a read of an object. Raises ValueError for another kind."""
    if kind not in SYNCED:
        raise ValueError(f"{kind} cannot be read again on request")
    return {
        "id": name,
        "object": "event",
        "type": f"sync.{kind}",
        "created": int(time.time()),
        "data": {"object": {"object": kind, "id": stripe_id, "customer": customer}},
    }


def claim_read(kind: str, stripe_id: str, *, every_seconds: int, most: int) -> StripeEvent | None:
    """Claim a read of an object from Stripe and return its event, for work_now in the drain; None if it is not due.

    One row an object, read `most` times at most and not again before `every_seconds` have passed. None as well while
    it waits to be processed or retried. Safe to call concurrently: one caller gets it.
    """
    event = _sync(kind, stripe_id, f"sync_{stripe_id}", "")
    values = [event["id"], event["type"], json.dumps(event).encode(), timezone.now() + LEASE]
    limits = [most, timezone.now() - timedelta(seconds=every_seconds)]
    return next(iter(StripeEvent.objects.raw(_CLAIM_READ, values + limits)), None)


_CLAIM_READ = """
INSERT INTO payments_stripeevent AS known (id, type, account, is_livemode, is_sync, api_version, created_at, payload,
  state, attempts, next_try_at, error, received_at, lease_until)
VALUES (%s, %s, '', false, true, '', now(), %s, 'pending', 1, now(), '', now(), %s)
ON CONFLICT (id) DO UPDATE SET state = 'pending', attempts = known.attempts + 1, failures = 0, next_try_at = now(),
  lease_until = EXCLUDED.lease_until, payload = EXCLUDED.payload, processed_at = NULL, trimmed_at = NULL
WHERE known.attempts < %s AND known.processed_at < %s RETURNING known.*
"""


def claim(limit: int) -> list[StripeEvent]:
    """Claim up to `limit` due events for a minute and return them, oldest first. Counts a try of each.

    Safe to call concurrently: an event is claimed by one drain. The claim of a drain that died expires.
    """
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
    """Mark events as done, with a final state and a note; call it in the transaction of their effects."""
    ids = [event.pk for event in events]
    if ids:
        done = {"state": state, "error": note, "lease_until": None, "processed_at": timezone.now()}
        StripeEvent.objects.filter(pk__in=ids).update(**done)


def put_back(events: Iterable[StripeEvent], wait: timedelta) -> None:
    """Return claimed events to the queue because another drain works on their lane. Not counted as a try."""
    rows = StripeEvent.objects.filter(pk__in=[event.pk for event in events])
    rows.update(lease_until=None, next_try_at=timezone.now() + wait, attempts=F("attempts") - 1)


def retry_later(event: StripeEvent, state: StripeEvent.State, error: str) -> None:
    """Return an event to the queue with this state and error, and a delay that grows with every try.

    State FAILED counts a failure; after MAX_TRIES failures the event is given up (DEAD) and kept. With another state,
    because Stripe did not answer or another event is missing, it is retried for as long as it takes.
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
    """Return how long the drain may sleep until the next waiting event is due: 0.05 s at least, `at_most` at most."""
    waiting = StripeEvent.objects.filter(state__in=StripeEvent.WAITING)
    soonest = waiting.aggregate(soonest=Min("next_try_at"))["soonest"]
    if soonest is None:
        return at_most
    return min(at_most, max(0.05, (soonest - timezone.now()).total_seconds()))


def has_due() -> bool:
    """Return whether any waiting event is due now, claimed or not."""
    return StripeEvent.objects.filter(state__in=StripeEvent.WAITING, next_try_at__lte=timezone.now()).exists()


def _delay(attempts: int) -> timedelta:
    """Return 2, 4, 8 ... seconds, six hours at most, varied at random so that many events do not return together."""
    # The exponent is limited because a huge power would raise OverflowError, here where failures are recorded.
    seconds = min(2.0 ** min(attempts, 16), LONGEST_WAIT.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 - spreading load, not secrets
