"""Lanes: the events of one customer, worked one after another under an advisory lock, with what was read for them.

Lanes are read ahead in threads, several at a time; no thread but the drain's own touches the database.
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

# The budget of reads (reads.py) is one for all of these threads.
READERS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="read-stripe")


@dataclass
class Lane:
    """Events in the order they came; `wanted` are the objects that their handlers are sure to read."""

    key: str
    events: list[StripeEvent] = field(default_factory=list)
    wanted: set[Wanted] = field(default_factory=set)
    reads: Reads = field(default_factory=Reads)


def of(events: Iterable[StripeEvent]) -> list[Lane]:
    """Events of one customer together. One whose payload cannot be read, or names nobody, is alone."""
    lanes: dict[str, Lane] = {}
    for event in events:
        key, wanted = _named(event)
        lane = lanes.setdefault(key, Lane(key))
        lane.events.append(event)
        lane.wanted |= wanted
    return list(lanes.values())


def _named(event: StripeEvent) -> tuple[str, set[Wanted]]:
    try:
        raw = event.object
        wanted = {Wanted(raw["object"], raw["id"])} if raw.get("object") in AHEAD else set()
        key = objects.lane_of(raw)
        return key if _is_text(key) else event.pk, wanted
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return event.pk, set()


def _is_text(key: str) -> bool:
    """Whether the database can be asked for it: what Stripe never names may hold a NUL or half a character."""
    return bool(key) and "\0" not in key and key.isprintable()


@contextmanager
def locked(lanes: list[Lane]) -> Iterator[list[Lane]]:
    """Hold the lanes that no other drain works on, until the end of the block; yields them."""
    with locks.taken([lane.key for lane in lanes]) as ours:
        yield [lane for lane in lanes if lane.key in ours]


def as_they_are_read(lanes: list[Lane], together: int) -> Iterator[list[Lane]]:
    """Up to `together` lanes at a time: at once those that need nothing from Stripe, the others when they were read."""
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
