"""Retention of events: after KEEP_EVENTS_DAYS the payload of an event is reduced to ids and a digest.

The row stays, so that a second delivery is recognised; the digest can prove that a copy is the same. Events that wait
or were given up are kept whole. Real time: moving the business date does not age them. Called by rights/ageing.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from members.newsroom import values as newsroom
from payments.models import StripeEvent

FINISHED = (StripeEvent.State.PROCESSED, StripeEvent.State.IGNORED, StripeEvent.State.FOREIGN)
KEPT_KEYS = ("id", "object", "customer", "payment_intent", "charge")


def old() -> QuerySet[StripeEvent]:
    """Return the events that are old enough to be reduced, oldest first."""
    oldest = timezone.now() - timedelta(days=newsroom.number("KEEP_EVENTS_DAYS"))
    finished = StripeEvent.objects.filter(state__in=FINISHED, trimmed_at=None)
    return finished.filter(received_at__lt=oldest).order_by("received_at")


def trim_rows(rows: Sequence[Any]) -> None:
    """Reduce these events, in the caller's transaction."""
    now = timezone.now()
    for row in rows:
        row.payload, row.error, row.trimmed_at = reduced(row), "", now
    StripeEvent.objects.bulk_update(rows, ["payload", "error", "trimmed_at"])


def reduced(event: StripeEvent) -> bytes:
    """Return the reduced payload: the event's structure with ids only, and the SHA-256 of the original bytes.

    Works for any bytes: without JSON it has no ids of the object.
    """
    payload = bytes(event.payload)
    rest = {
        "id": event.pk,
        "object": "event",
        "type": event.type,
        "created": int(event.created_at.timestamp()),
        "data": {"object": _ids(payload)},
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    return json.dumps(rest).encode()


def _ids(payload: bytes) -> dict[str, str]:
    """Return the ids in the event's object under KEPT_KEYS; empty if the payload is not an event."""
    try:
        raw = json.loads(payload)["data"]["object"]
        found = {key: _id(raw.get(key)) for key in KEPT_KEYS}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {key: value for key, value in found.items() if value}


def _id(value: Any) -> str:
    """Return an id, or the id of the object that was expanded in its place; "" for anything else."""
    value = value.get("id") if isinstance(value, dict) else value
    return value if isinstance(value, str) else ""
