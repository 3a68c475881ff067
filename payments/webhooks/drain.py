"""The drain: the event worker, which processes the events of the inbox in batches.

Claims the events that are due, reads from Stripe under a lock per customer, then applies the effects of many customers
in one transaction (docs/decisions/0017). Runs as `manage.py drain`, in as many processes as wanted. An event that
causes an error fails alone. If a drain dies, its lease expires and another drain processes the events.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from django.db import OperationalError, transaction

from members.errors import in_words
from members.mail import outbox
from payments import locks
from payments.books import new_gifts
from payments.crash_points import crash_at
from payments.errors import KEY_REFUSED, CheckoutLost, KeyRefused, NotOurs, NotYet, StripeUnavailable
from payments.guard import door, expiring
from payments.inbox import late, queue
from payments.models import StripeEvent
from payments.rights import forgetting
from payments.stripe_api import client
from payments.stripe_api.reads import Reads
from payments.stripe_api.sdk.connection import hurried
from payments.webhooks import lanes
from payments.webhooks.handlers import FAILED_TRIES, HANDLERS, Effect, Gift
from payments.webhooks.lanes import Lane

log = logging.getLogger("hromada.drain")

# How many events a drain claims at a time.
BATCH = 100
# How many lanes share a transaction: enough for few commits, few enough to repeat if one of them fails.
TOGETHER = 50
# How long an event waits if another drain has its customer locked, for milliseconds or a few reads from Stripe.
PUT_BACK_FOR = timedelta(milliseconds=200)
# PostgreSQL's codes for a serialization failure and a deadlock: two transactions collided, and no event is at fault.
COLLISIONS = {"40001", "40P01"}
State = StripeEvent.State
Plan = tuple[StripeEvent, Effect]


def work(limit: int = BATCH) -> int:
    """Process one batch of events; return how many were claimed.

    An error of an event is stored on its row, not raised. Events whose customer another drain has locked are put back.
    Safe to call concurrently in several processes. Never call it inside a transaction.
    """
    events = queue.claim(limit)
    if events:
        crash_at("after-claim")
        batch = lanes.of(events)
        with lanes.locked(batch) as locked:
            keys = {lane.key for lane in locked}
            queue.put_back([e for lane in batch if lane.key not in keys for e in lane.events], PUT_BACK_FOR)
            elsewhere = []
            for ready in lanes.as_they_are_read(locked, TOGETHER):
                elsewhere += _process_together(ready)
            for lane in elsewhere:  # when all lanes that are locked here are done, so that nothing older comes after
                _process_elsewhere(lane)
    if any(event.type in FAILED_TRIES for event in events):
        door.judge()
    expiring.send()
    return len(events)


def work_now(event: StripeEvent, within: float) -> None:
    """Process one event, claimed by this process, for a reader who waits; put it back if its customer stays locked.

    Waits at most `within` seconds for the lock, and briefly for Stripe. Never call it inside a transaction.
    """
    [lane] = lanes.of([event])
    with lanes.locked([lane], within) as locked, hurried():
        if not locked:
            queue.put_back([event], PUT_BACK_FOR)
            return
        lane.reads.ahead(lane.wanted)
        for unlocked in _process_together(locked):
            _process_elsewhere(unlocked, within)


def until_nothing_is_due() -> int:
    """Process batch after batch until no event is due; return how many events were claimed in all."""
    total = 0
    while count := work():
        total += count
    return total


def _process_together(ready: list[Lane]) -> list[Lane]:
    """Apply all lanes in one transaction; if that fails, each lane in its own, and if that fails, each event.

    Return the lanes that were not applied, because objects read there turned out to belong to other lanes.
    """
    planned, elsewhere = [], []
    for lane in ready:
        plans = _plans(lane)
        if plans and lane.others:
            elsewhere.append(replace(lane, events=[event for event, _ in plans]))
        else:
            planned.append(plans)
    crash_at("after-stripe-read")
    try:
        _apply([plan for plans in planned for plan in plans])
    except Exception:
        for plans in planned:
            _process_lane(plans)
    return elsewhere


def _process_elsewhere(lane: Lane, within: float = 0.0) -> None:
    """Apply a lane whose objects belong to other lanes: lock those, read everything again, and apply it.

    What was read before is not used: somebody else may have read and applied something newer since. If a lane stays
    locked, or another one turns up, the events are put back.
    """
    others = lane.others
    with locks.taken(others, within) as taken:
        if taken != others:
            queue.put_back(lane.events, PUT_BACK_FOR)
            return
        again = Lane(lane.key, lane.events)
        plans = _plans(again)
        if again.others <= taken:
            _process_lane(plans)
        else:
            queue.put_back([event for event, _ in plans], PUT_BACK_FOR)


def _plans(lane: Lane) -> list[Plan]:
    return [plan for event in lane.events if (plan := _planned(event, lane.reads))]


def _process_lane(plans: list[Plan]) -> None:
    try:
        _apply(plans)
    except Exception:
        for plan in plans:
            with _errors_stored(plan[0]):
                _apply([plan])


def _planned(event: StripeEvent, reads: Reads) -> Plan | None:
    """Return the event with its effect, after reading all that the effect needs from Stripe.

    Return None if there is no handler for its type (the event is then ignored), or if reading failed: the reason is
    then stored on the row of the event.
    """
    handler = HANDLERS.get(event.type)
    if handler is None:
        late.reduce([event])
        queue.finish([event], State.IGNORED)
        return None
    with _errors_stored(event):
        return event, handler(event, reads)
    return None


def _apply(plans: list[Plan]) -> None:
    """Run these effects and mark their events as processed, all in one transaction.

    An effect that raises NotOurs makes its event foreign. Any other error is raised, and nothing is stored.
    """
    done: list[StripeEvent] = []
    foreign: list[StripeEvent] = []
    with outbox.waking_once():
        with transaction.atomic():
            recorded = new_gifts.record([effect.intent for _, effect in plans if isinstance(effect, Gift)])
            for event, effect in plans:
                try:
                    if not (isinstance(effect, Gift) and effect.intent in recorded):
                        effect()
                    done.append(event)
                except NotOurs:  # raised before anything was written
                    foreign.append(event)
            forgetting.forget_again([*done, *foreign])
            queue.finish(done, State.PROCESSED)
            queue.finish(foreign, State.FOREIGN, "not made by this software")
            crash_at("before-commit")
        crash_at("after-commit")


@contextmanager
def _errors_stored(event: StripeEvent) -> Iterator[None]:
    """Store an error of the block on the event's row instead of raising it.

    The event becomes foreign (not ours), parked (waits for another event), pending (Stripe did not answer, or refused
    our key) or failed. After a collision of transactions it is put back, which counts as no attempt.
    """
    try:
        with client.missing_means_missing(), late.reduced_if_it_fails(event):
            yield
    except NotOurs as error:
        queue.finish([event], State.FOREIGN, f"not made by this software: {error}")
    except CheckoutLost as error:
        queue.retry_later(event, State.PARKED, f"{queue.LOST}{error}")
    except NotYet as error:
        queue.retry_later(event, State.PARKED, f"waits for: {error}")
    except KeyRefused as error:
        queue.retry_later(event, State.PENDING, f"{KEY_REFUSED}{error}")
    except StripeUnavailable as error:
        queue.retry_later(event, State.PENDING, f"Stripe did not answer: {error}")
    except Exception as error:
        if _is_collision(error):
            queue.put_back([event], PUT_BACK_FOR)
            return
        log.warning("event failed id=%s type=%s error=%s", event.pk, event.type, type(error).__name__)
        queue.retry_later(event, State.FAILED, in_words(error))


def _is_collision(error: Exception) -> bool:
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) in COLLISIONS
