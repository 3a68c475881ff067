"""How long what Stripe said is kept: after ninety days an event's payload is reduced to ids and a digest.

The id stays, so that a copy is still known; the digest can show that a copy is the same. What waits for a person, dead
or parked, is kept whole. Real time: the movable clock makes nothing old. Called by the daily jobs.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from payments.models import StripeEvent

KEPT_WHOLE = timedelta(days=90)
BATCH = 500
# What an hourly run may do; a backlog takes a few of them.
MOST = 50_000
FINISHED = (StripeEvent.State.PROCESSED, StripeEvent.State.IGNORED, StripeEvent.State.FOREIGN)
KEPT_KEYS = ("id", "object", "customer", "payment_intent", "charge")


def trim(most: int = MOST) -> int:
    """Reduce what is old enough, a batch a transaction; returns how many. Safe to call again, and at once."""
    done = 0
    while done < most and (batch := _trim_batch()):
        done += batch
    return done


def _trim_batch() -> int:
    now = timezone.now()
    with transaction.atomic():
        old = StripeEvent.objects.filter(state__in=FINISHED, trimmed_at=None, received_at__lt=now - KEPT_WHOLE)
        rows = list(old.order_by("received_at").select_for_update(skip_locked=True)[:BATCH])
        for row in rows:
            row.payload, row.error, row.trimmed_at = reduced(row), "", now
        StripeEvent.objects.bulk_update(rows, ["payload", "error", "trimmed_at"])
    return len(rows)


def reduced(event: StripeEvent) -> bytes:
    """The shape of the event with ids only, and the SHA-256 of the bytes that came. Whatever they were."""
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
    try:
        raw = json.loads(payload)["data"]["object"]
        found = {key: _id(raw.get(key)) for key in KEPT_KEYS}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {key: value for key, value in found.items() if value}


def _id(value: Any) -> str:
    """An id as it stands, or of what was expanded in its place."""
    value = value.get("id") if isinstance(value, dict) else value
    return value if isinstance(value, str) else ""
