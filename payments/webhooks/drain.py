"""Works the inbox: claims what is due, reads from Stripe under the customers' locks, then one transaction for many.

Run as `manage.py drain`, as many as wanted. A poison event fails alone; whatever dies, the lease and the table remain.
Why many customers share a transaction: docs/decisions/0017.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import OperationalError, transaction

from members.mail import outbox
from payments.books import new_gifts
from payments.crash_points import crash_at
from payments.errors import CheckoutLost, NotOurs, NotYet, StripeUnavailable
from payments.inbox import queue
from payments.models import StripeEvent
from payments.stripe_api.reads import Reads
from payments.webhooks import lanes
from payments.webhooks.handlers import HANDLERS, Effect, Gift
from payments.webhooks.lanes import Lane

log = logging.getLogger("hromada.drain")

BATCH = 100
# Lanes in one transaction: few commits, and little to do again when one of them fails.
TOGETHER = 50
# Another drain is at work on this customer: it takes milliseconds, or a few reads from Stripe.
PUT_BACK_FOR = timedelta(milliseconds=200)
# PostgreSQL's codes for transactions that got in each other's way: no event's fault.
COLLISIONS = {"40001", "40P01"}
State = StripeEvent.State
Plan = tuple[StripeEvent, Effect]


def work(limit: int = BATCH) -> int:
    """Work one batch; returns how many events were claimed. Never raises for what an event holds."""
    events = queue.claim(limit)
    if events:
        crash_at("after-claim")
        every = lanes.of(events)
        with lanes.locked(every) as ours:
            taken = {lane.key for lane in ours}
            queue.put_back([e for lane in every if lane.key not in taken for e in lane.events], PUT_BACK_FOR)
            for ready in lanes.as_they_are_read(ours, TOGETHER):
                _work_together(ready)
    return len(events)


def until_nothing_is_due() -> int:
    """Work batch after batch until none is due; returns how many events were claimed in all."""
    total = 0
    while count := work():
        total += count
    return total


def _work_together(ready: list[Lane]) -> None:
    """All lanes in one transaction; should that fail, each lane in its own, and where that fails, each event."""
    planned = [[plan for event in lane.events if (plan := _planned(event, lane.reads))] for lane in ready]
    crash_at("after-stripe-read")
    try:
        _apply([plan for lane in planned for plan in lane])
    except Exception:
        for lane in planned:
            _work_alone(lane)


def _work_alone(plans: list[Plan]) -> None:
    try:
        _apply(plans)
    except Exception:
        for plan in plans:
            with _failing(plan[0]):
                _apply([plan])


def _planned(event: StripeEvent, reads: Reads) -> Plan | None:
    """The event with its effect, everything read; None when that failed, which is on the row then."""
    handler = HANDLERS.get(event.type)
    if handler is None:
        queue.finish([event], State.IGNORED)
        return None
    with _failing(event):
        return event, handler(event, reads)
    return None


def _apply(plans: list[Plan]) -> None:
    """All these effects in one transaction, with the events' own state."""
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
            queue.finish(done, State.PROCESSED)
            queue.finish(foreign, State.FOREIGN, "not made by this software")
            crash_at("before-commit")
        crash_at("after-commit")


@contextmanager
def _failing(event: StripeEvent) -> Iterator[None]:
    """What went wrong is written on the row: foreign, waiting for something, or failed."""
    try:
        yield
    except NotOurs as error:
        queue.finish([event], State.FOREIGN, f"not made by this software: {error}")
    except CheckoutLost as error:
        queue.retry_later(event, State.PARKED, f"{queue.LOST}{error}")
    except NotYet as error:
        queue.retry_later(event, State.PARKED, f"waits for: {error}")
    except StripeUnavailable as error:
        queue.retry_later(event, State.PENDING, f"Stripe did not answer: {error}")
    except Exception as error:
        if _is_collision(error):
            queue.put_back([event], PUT_BACK_FOR)
            return
        log.warning("event failed id=%s type=%s error=%s", event.pk, event.type, type(error).__name__)
        queue.retry_later(event, State.FAILED, f"{type(error).__name__}: {error}")


def _is_collision(error: Exception) -> bool:
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) in COLLISIONS
