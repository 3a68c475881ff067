"""Lanes: the events of one customer, processed one after another under an advisory lock, with what was read for them.

Called by the drain. Several lanes are read from Stripe at a time, in threads; only the drain's own thread uses the
database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field

from payments import locks
from payments.models import StripeEvent
from payments.stripe_api import objects
from payments.stripe_api.reads import AHEAD, Reads, Wanted

# All of these threads share one budget of reads (stripe_api/budget.py).
READERS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="read-stripe")


@dataclass
class Lane:
    """The events of one customer, in the order in which they arrived.

    `wanted` are the objects that their handlers are sure to read, `reads` what was read from Stripe so far.
    """

    key: str
    events: list[StripeEvent] = field(default_factory=list)
    wanted: set[Wanted] = field(default_factory=set)
    reads: Reads = field(default_factory=Reads)


def of(events: Iterable[StripeEvent]) -> list[Lane]:
    """Group events by customer. An event whose payload is unreadable or names no customer has a lane of its own."""
    lanes: dict[str, Lane] = {}
    for event in events:
        key, wanted = _key_and_wanted(event)
        lane = lanes.setdefault(key, Lane(key))
        lane.events.append(event)
        lane.wanted |= wanted
    return list(lanes.values())


def _key_and_wanted(event: StripeEvent) -> tuple[str, set[Wanted]]:
    """Return the key of an event's lane, and the objects to read ahead for it. Raises nothing for a bad payload."""
    try:
        raw = event.object
        wanted = {Wanted(raw["object"], raw["id"])} if raw.get("object") in AHEAD else set()
        key = objects.lane_of(raw)
        return key if _is_text(key) else event.pk, wanted
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return event.pk, set()


def _is_text(key: str) -> bool:
    """Return whether a key can be sent to the database: a hostile payload may hold a NUL or half a character."""
    return bool(key) and "\0" not in key and key.isprintable()


@contextmanager
def locked(lanes: list[Lane]) -> Iterator[list[Lane]]:
    """Lock the lanes that no other drain has locked, for the block, and yield them. Never waits."""
    with locks.taken([lane.key for lane in lanes]) as taken:
        yield [lane for lane in lanes if lane.key in taken]


def as_they_are_read(lanes: list[Lane], together: int) -> Iterator[list[Lane]]:
    """Yield the lanes in groups of up to `together`: first those that need no read, then the others as they are read.

    An error while reading is kept in the lane's `reads` and raised when a handler asks for the object.
    """
    reading: dict[Future[None], Lane] = {
        READERS.submit(lane.reads.ahead, lane.wanted): lane for lane in lanes if lane.wanted
    }
    try:
        yield from _in_groups([lane for lane in lanes if not lane.wanted], together)
        while reading:
            done, _ = wait(reading, return_when=FIRST_COMPLETED)
            yield from _in_groups([reading.pop(future) for future in done], together)
    finally:
        for future in reading:
            future.cancel()


def _in_groups(lanes: list[Lane], size: int) -> Iterator[list[Lane]]:
    for start in range(0, len(lanes), size):
        yield lanes[start : start + size]
