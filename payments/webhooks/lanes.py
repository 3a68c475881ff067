"""Lanes: the events of one customer, processed one after another under an advisory lock, with what was read for them.

The lock is held from before the read until the effects are committed, so that an older read never overwrites a newer
one. An object that names no customer goes into the lane of the customer that our rows name. Called by the drain.
Several lanes are read from Stripe at a time, in threads; only the drain's own thread uses the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection

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

    @property
    def others(self) -> set[str]:
        """Return the lanes, other than this one, to which objects that were read here belong. At most one query."""
        others = self.reads.lanes() - {self.key}
        known = _known_lanes(others)
        return {known.get(key, key) for key in others} - {self.key}


def of(events: Iterable[StripeEvent]) -> list[Lane]:
    """Group events by customer, one query for all. An event that is unreadable or unknown has a lane of its own."""
    found = [(event, *_key_and_wanted(event)) for event in events]
    known = _known_lanes({key for _, key, _ in found})
    lanes: dict[str, Lane] = {}
    for event, key, wanted in found:
        lane = lanes.setdefault(known.get(key, key), Lane(known.get(key, key)))
        lane.events.append(event)
        lane.wanted |= wanted
    return list(lanes.values())


def _known_lanes(keys: set[str]) -> dict[str, str]:
    """Return the lanes of objects that our rows know, by the id of the object: its customer, else its intent."""
    ids = [key for key in keys if not key.startswith(CUSTOMER)]
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, {"ids": ids})
        return dict(cursor.fetchall())


CUSTOMER = "cus_"
_LANE = "coalesce(nullif(payment.stripe_customer_id, ''), payment.stripe_payment_intent_id, payment.stripe_charge_id)"
_KNOWN = f"""
SELECT payment.stripe_payment_intent_id, {_LANE} FROM payments_payment payment
  WHERE payment.stripe_payment_intent_id = ANY(%(ids)s)
UNION ALL SELECT payment.stripe_charge_id, {_LANE} FROM payments_payment payment
  WHERE payment.stripe_charge_id = ANY(%(ids)s)
UNION ALL SELECT refund.stripe_refund_id, {_LANE}
  FROM payments_refund refund JOIN payments_payment payment ON payment.id = refund.payment_id
  WHERE refund.stripe_refund_id = ANY(%(ids)s)
UNION ALL SELECT dispute.stripe_dispute_id, {_LANE}
  FROM payments_dispute dispute JOIN payments_payment payment ON payment.id = dispute.payment_id
  WHERE dispute.stripe_dispute_id = ANY(%(ids)s)
UNION ALL SELECT stripe_subscription_id, stripe_customer_id FROM payments_subscription
  WHERE stripe_subscription_id = ANY(%(ids)s)
UNION ALL SELECT checkout.stripe_session_id, subscription.stripe_customer_id
  FROM payments_checkout checkout JOIN payments_subscription subscription ON subscription.checkout_id = checkout.id
  WHERE checkout.stripe_session_id = ANY(%(ids)s)
"""  # noqa: S608 our own words only


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
def locked(lanes: list[Lane], within: float = 0.0) -> Iterator[list[Lane]]:
    """Lock the lanes that nobody else has locked, for the block, and yield them.

    Waits `within` some seconds for all to be free.
    """
    with locks.taken([lane.key for lane in lanes], within) as taken:
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
