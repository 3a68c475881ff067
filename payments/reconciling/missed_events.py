"""Events that Stripe made and that never came here: listed every quarter of an hour, stored as if they had come.

Stripe lists events for thirty days. After a longer silence the gap is said, and the comparison of objects covers it.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Any

from members import clock
from payments.inbox import queue
from payments.models import Reconciliation, StripeEvent
from payments.reconciling import runs
from payments.stripe_api import client
from payments.stripe_api.event_types import HANDLED

log = logging.getLogger("hromada.reconciliation")

KEPT_BY_STRIPE = timedelta(days=30)
# An event may be listed a little later than its time says.
OVERLAP = timedelta(hours=1)
TYPES_A_CALL = 20
EVENTS = Reconciliation.Kind.EVENTS


def collect() -> Reconciliation | None:
    """Store every event of our types that Stripe lists since the last complete run and that we lack.

    Delivered ones too: a restored database lacks events that Stripe delivered. Returns the run, with Stripe's error
    on it when it stopped half-way: the next one begins where the last complete one did. None while another process is
    at it. Safe to call at any time: an event that we have is left alone.
    """
    with runs.alone(EVENTS) as is_ours:
        if not is_ours:
            return None
        until = clock.now()
        with runs.recorded(EVENTS, _since(until), until) as run:
            for start in range(0, len(HANDLED), TYPES_A_CALL):
                for page in client.list_events(HANDLED[start : start + TYPES_A_CALL], run.since):
                    run.looked_at += len(page)
                    run.found += _store_missing(page)
        return run


def _since(until: datetime) -> datetime:
    last, oldest = runs.last_complete(EVENTS), until - KEPT_BY_STRIPE
    if last is None:
        return oldest
    if last.until < oldest:
        log.error(
            "events of %s days are gone from Stripe's list; the comparison covers them", (oldest - last.until).days
        )
    return max(last.until - OVERLAP, oldest)


def _store_missing(page: list[dict[str, Any]]) -> int:
    """Listed events are rendered at the API version of their making, which they name: handlers heed it anyway."""
    known = set(StripeEvent.objects.filter(pk__in=[event["id"] for event in page]).values_list("pk", flat=True))
    missing = [event for event in page if event["id"] not in known]
    stored = [event["id"] for event in reversed(missing) if _store(event)]
    StripeEvent.objects.filter(pk__in=stored).update(is_listed=True)
    return len(stored)


def _store(event: dict[str, Any]) -> bool:
    # The SDK reads Stripe's decimals as Decimal; as text they are again what Stripe sends.
    return queue.store(event, json.dumps(event, default=str).encode(), StripeEvent.State.PENDING)
