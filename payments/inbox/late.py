"""Events that arrive about a person who was erased: recognised by tombstones, and reduced before anything else.

A reduced event holds ids only and is still processed: handlers read from Stripe what they need. Called by the drain
for the events that it has claimed, and by queue.store for those that no drain will see.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from django.utils import timezone

from members.rights import tombstones
from payments.inbox import retention
from payments.models import StripeEvent

# The ids that tombstones are made of: Stripe's, and our checkouts' in Stripe's metadata.
IDS = re.compile(
    rb'"((?:cus|sub|cs|pi|in|ch|py|pm|re|du|dp)_[A-Za-z0-9_]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"'
)


def ids_in(payload: bytes) -> set[str]:
    """Return the ids that a payload names. Works for any bytes."""
    return {found.decode() for found in IDS.findall(payload)}


def erased_in(payload: bytes) -> bool:
    """Return whether a payload is about an erased person."""
    return bool(tombstones.erased_among(ids_in(payload)))


def people_of(events: Iterable[StripeEvent]) -> set[uuid.UUID]:
    """Return the public ids of the erased supporters whom these events are about. At most one query."""
    ids = {found for event in events for found in ids_in(bytes(event.payload))}
    return set(tombstones.erased_among(ids).values())


def reduce(events: Iterable[StripeEvent]) -> list[StripeEvent]:
    """Reduce those of these events that are about an erased person, rows and instances, and return them.

    One query for all, and a write only for what is found. Idempotent.
    """
    named = {event.pk: (event, ids_in(bytes(event.payload))) for event in events}
    erased = tombstones.erased_among({found for _event, ids in named.values() for found in ids})
    found = [event for event, ids in named.values() if ids & erased.keys()]
    reduce_rows(found)
    return found


def reduce_rows(events: Iterable[StripeEvent]) -> None:
    """Reduce these events to ids, whatever their state. Without an API version, their objects are read from Stripe."""
    rows = list(events)
    for row in rows:
        if row.trimmed_at is None:
            row.payload, row.trimmed_at = retention.reduced(row), timezone.now()
        row.error, row.api_version = "", ""
    StripeEvent.objects.bulk_update(rows, ["payload", "error", "trimmed_at", "api_version"])
