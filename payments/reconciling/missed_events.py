"""Missed events: Stripe made them, but they never arrived. Listed every 15 minutes and stored as if they had arrived.

An event that did arrive but had no effect is not skipped either: see `_put_back`.

Called by a task and by `manage.py reconcile`. Stripe lists events for thirty days. A longer gap is logged, and covered
by the comparison of objects (comparison/).
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from members import clock
from payments.inbox import queue, replay
from payments.models import Reconciliation, StripeEvent
from payments.reconciling import runs
from payments.stripe_api import client
from payments.stripe_api.event_types import HANDLED

log = logging.getLogger("hromada.reconciliation")

KEPT_BY_STRIPE = timedelta(days=30)
# Stripe may list an event a little later than its own time.
OVERLAP = timedelta(hours=1)
DEAD_TRIED_AGAIN_AFTER = timedelta(days=1)
TYPES_A_CALL = 20
EVENTS = Reconciliation.Kind.EVENTS


def collect() -> Reconciliation | None:
    """Store every event since the last complete run that Stripe lists and our database does not have; return the run.

    That includes events that Stripe has delivered: a restored database has lost some. If Stripe stops answering, or our
    key is of another mode or account, the error is stored on the run, and the next run starts where the last complete
    one did. Returns None while another process lists events. Idempotent. Never call it inside a transaction.
    """
    with runs.alone(EVENTS) as is_ours:
        if not is_ours:
            return None
        until = clock.now()
        with runs.recorded(EVENTS, _since(until), until) as run:
            client.check_key()
            for start in range(0, len(HANDLED), TYPES_A_CALL):
                for page in client.list_events(HANDLED[start : start + TYPES_A_CALL], run.since):
                    run.looked_at += len(page)
                    run.found += _store_missing(page)
                    _put_back(page)
            _try_dead_again()
        return run


def _since(until: datetime) -> datetime:
    last = runs.last_complete(EVENTS)
    oldest = until - KEPT_BY_STRIPE
    if last is None:
        return oldest
    if last.until < oldest:
        log.error(
            "events of %s days are gone from Stripe's list; the comparison covers them", (oldest - last.until).days
        )
    return max(last.until - OVERLAP, oldest)


def _store_missing(page: list[dict[str, Any]]) -> int:
    """Store the events of a page that are missing from our database, oldest first; return how many.

    Stripe lists each event in the API version in which it was made. The event names it, and handlers check it.
    """
    known = set(StripeEvent.objects.filter(pk__in=[event["id"] for event in page]).values_list("pk", flat=True))
    missing = [event for event in page if event["id"] not in known]
    stored = [event["id"] for event in reversed(missing) if _store(event)]
    StripeEvent.objects.filter(pk__in=stored).update(is_listed=True)
    return len(stored)


def _put_back(page: list[dict[str, Any]]) -> None:
    """Queue the events of a page again that arrived here and had no effect: they died, or were taken for foreign.

    A dead event gets one more try per listing and keeps its failures, so that staff stay alerted; what killed it may be
    corrected by now. Events stored as foreign arrived while our key was of another mode or account: Stripe lists them
    for the present key, so they are ours.
    """
    listed = StripeEvent.objects.filter(pk__in=[event["id"] for event in page])
    replay.try_once_more(listed)
    replay.replay(listed.filter(state=StripeEvent.State.FOREIGN, processed_at=None))


def _try_dead_again() -> None:
    """Give each dead event one more try a day after its last one, so that a fault corrected since heals by itself.

    Stripe's list is not asked for them: it forgets events after thirty days, and our copy is whole.
    """
    replay.try_once_more(StripeEvent.objects.filter(next_try_at__lt=timezone.now() - DEAD_TRIED_AGAIN_AFTER))


def _store(event: dict[str, Any]) -> bool:
    # The SDK turns Stripe's decimals into Decimal; written as text they are what Stripe sent.
    return queue.store(event, json.dumps(event, default=str).encode(), StripeEvent.State.PENDING)
