"""Works the inbox: claims what is due, reads from Stripe under the customer's lock, then one transaction a customer.

Run as `manage.py drain`, as many as wanted. A poison event fails alone; whatever dies, the lease and the table remain.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import groupby

from django.db import connection, transaction

from payments.errors import NotOurs, NotYet, StripeUnavailable
from payments.models import StripeEvent
from payments.stripe_api import objects
from payments.webhooks import inbox
from payments.webhooks.handlers import HANDLERS, Effect
from payments.webhooks.reads import Reads

log = logging.getLogger("hromada.drain")

BATCH = 100
# Another drain is at work on this customer: it takes milliseconds, or a few reads from Stripe.
PUT_BACK_FOR = timedelta(milliseconds=200)
State = StripeEvent.State
Plan = tuple[StripeEvent, Effect]


def work(limit: int = BATCH) -> int:
    """Work one batch; returns how many events were claimed. Never raises for what an event holds."""
    events = inbox.claim(limit)
    for lane, group in _lanes(events):
        with _lock(lane) as is_ours:
            if is_ours:
                _work_lane(group)
            else:
                inbox.put_back(group, PUT_BACK_FOR)
    return len(events)


def _lanes(events: list[StripeEvent]) -> Iterator[tuple[str, list[StripeEvent]]]:
    """Events of one customer together, in the order they came. One whose payload cannot be read is alone."""
    lanes = {event.pk: _lane(event) for event in events}
    for lane, group in groupby(sorted(events, key=lambda event: lanes[event.pk]), key=lambda event: lanes[event.pk]):
        yield lane, list(group)


def _lane(event: StripeEvent) -> str:
    try:
        return objects.lane_of(event.object) or event.pk
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return event.pk


def _work_lane(group: list[StripeEvent]) -> None:
    reads = Reads()
    plans = [plan for event in group if (plan := _planned(event, reads))]
    try:
        _apply(plans)
    except Exception:
        for plan in plans:
            _apply_alone(plan)


def _planned(event: StripeEvent, reads: Reads) -> Plan | None:
    """The event with its effect, everything read; None when that failed, which is on the row then."""
    handler = HANDLERS.get(event.type)
    if handler is None:
        inbox.finish([event], State.IGNORED)
        return None
    with _failing(event):
        return event, handler(event, reads)
    return None


def _apply(plans: Iterable[Plan]) -> None:
    """All effects of a customer's group in one transaction, with the events' own state."""
    done: list[StripeEvent] = []
    foreign: list[StripeEvent] = []
    with transaction.atomic():
        for event, effect in plans:
            try:
                effect()
                done.append(event)
            except NotOurs:  # raised before anything was written
                foreign.append(event)
        inbox.finish(done, State.PROCESSED)
        inbox.finish(foreign, State.FOREIGN, "not made by this software")


def _apply_alone(plan: Plan) -> None:
    with _failing(plan[0]):
        _apply([plan])


@contextmanager
def _failing(event: StripeEvent) -> Iterator[None]:
    """What went wrong is written on the row: foreign, waiting for something, or failed."""
    try:
        yield
    except NotOurs as error:
        inbox.finish([event], State.FOREIGN, f"not made by this software: {error}")
    except NotYet as error:
        inbox.retry_later(event, State.PARKED, f"waits for: {error}")
    except StripeUnavailable as error:
        inbox.retry_later(event, State.PENDING, f"Stripe did not answer: {error}")
    except Exception as error:
        log.warning("event failed id=%s type=%s error=%s", event.pk, event.type, type(error).__name__)
        inbox.retry_later(event, State.FAILED, f"{type(error).__name__}: {error}")


@contextmanager
def _lock(lane: str) -> Iterator[bool]:
    """The customer's advisory lock, held by this connection over reads and transaction alike."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [lane])
        is_ours: bool = cursor.fetchone()[0]
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [lane])


def until_nothing_is_due() -> int:
    """Work batch after batch until none is due; returns how many events were claimed in all."""
    total = 0
    while count := work():
        total += count
    return total
