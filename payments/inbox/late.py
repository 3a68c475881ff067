"""Events that arrive about a person who was erased: recognised by tombstones, and reduced to ids.

Called in the transaction in which an event is processed, when one fails, and by queue.store for those that no drain
will see. A reduced event can still be processed: handlers read from Stripe what they need.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from django.utils import timezone

from members.models import Tombstone
from members.rights import tombstones
from payments.inbox import retention
from payments.models import StripeEvent

# The ids that tombstones are made of: Stripe's, and our checkouts' in Stripe's metadata, which are UUIDs.
PREFIXES = tuple(f"{kind}_".encode() for kind in ("cus", "sub", "cs", "pi", "in", "ch", "py", "pm", "re", "du", "dp"))
LENGTH_OF_UUID, LONGEST = 36, 254


def is_about_erased(payload: bytes) -> bool:
    """Return whether a payload is about an erased person."""
    return bool(_people(payload, tombstones.erased_among(_named(payload))))


def people_of(events: Iterable[StripeEvent]) -> set[uuid.UUID]:
    """Return the public ids of the erased supporters whom these reduced events are about, by their ids."""
    erased = tombstones.erased_among({value for event in events for value in _named(bytes(event.payload))})
    return {row.supporter_public_id for row in erased.values()}


def reduce(events: Iterable[StripeEvent]) -> None:
    """Reduce those of these events that are about an erased person, rows and instances.

    One query for all, and a write only for what is found. Idempotent.
    """
    if not tombstones.are_there():
        return
    named = [(event, _named(bytes(event.payload))) for event in events]
    erased = tombstones.erased_among({value for _event, values in named for value in values})
    if erased:
        reduce_rows(
            event
            for event, values in named
            if _people(bytes(event.payload), {value: erased[value] for value in values & erased.keys()})
        )


@contextmanager
def reduced_if_it_fails(event: StripeEvent) -> Iterator[None]:
    """Reduce an event that is about an erased person if the block raises, because its row is kept to be retried."""
    try:
        yield
    except Exception:
        reduce([event])
        raise


def reduce_rows(events: Iterable[StripeEvent]) -> None:
    """Reduce these events to ids, whatever their state. Without an API version, their objects are read from Stripe."""
    rows = list(events)
    for row in rows:
        if row.trimmed_at is None:
            row.payload, row.trimmed_at = retention.reduced(row), timezone.now()
            row.__dict__.pop("body", None)  # parsed before
        row.error, row.api_version = "", ""
    if rows:
        StripeEvent.objects.bulk_update(rows, ["payload", "error", "trimmed_at", "api_version"])


def _named(payload: bytes) -> set[str]:
    """Return the ids and addresses that a payload names, addresses in small letters. Works for any bytes."""
    texts = (part for part in payload.split(b'"') if len(part) <= LONGEST)
    found = {part.decode("utf-8", "replace") for part in texts if _is_name(part)}
    return {tombstones.address_key(value) if "@" in value else value for value in found}


def _is_name(part: bytes) -> bool:
    is_public_id = len(part) == LENGTH_OF_UUID and part.count(b"-") == 4
    return part.startswith(PREFIXES) or is_public_id or (b"@" in part and b" " not in part)


def _people(payload: bytes, erased: Mapping[str, Tombstone]) -> set[uuid.UUID]:
    """Return the erased people whom a payload is about.

    An address counts only if the object was made before its person was erased: whoever gives again has new objects. It
    finds what no row of ours names, such as the customer of a card that was declined.
    """
    found = {row.supporter_public_id for row in erased.values() if row.kind == Tombstone.Kind.STRIPE}
    by_address = [row for row in erased.values() if row.kind == Tombstone.Kind.ADDRESS]
    made_at = _made_at(payload) if by_address else None
    return found | {row.supporter_public_id for row in by_address if made_at and made_at < row.erased_at}


def _made_at(payload: bytes) -> datetime | None:
    """Return when the object of an event was made at Stripe; None if the payload does not say it."""
    try:
        return datetime.fromtimestamp(json.loads(payload)["data"]["object"]["created"], tz=UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return None
