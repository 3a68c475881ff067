"""The log of what staff did and read: added to, never changed, and chained, so that a change by hand is noticed.

Each row's digest is a keyed hash of the row and of the digest before it; the key is made from SECRET_KEY and is not
in the database. Rows hold ids and keyed hashes, never names, addresses or searched words. Called by the desk's lists,
pages and acts; `manage.py verify_log` checks the chain.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from members.models import StaffLogEntry, Supporter

FIRST = "0" * 64
# Rows are added one after the other, or two would follow the same one. The number is only ours.
TURN = 7263120551
MOST_BROKEN = 20


def record(
    actor: AbstractBaseUser | AnonymousUser | None,
    action: str,
    row: Model | None = None,
    *,
    person: int | None = None,
    **details: str | int | bool | None,
) -> StaffLogEntry:
    """Add one line: who did or read what, such as `payment.viewed`, to which row, about which supporter's id.

    `details` are ids, counts and states, and `hidden` texts: never a name, an address or searched words. For a
    supporter's row `person` follows by itself. Inside a transaction the line is committed or lost with it, and others
    wait for its end: call it last. Three queries.
    """
    if person is None and isinstance(row, Supporter):
        person = row.pk
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
        last = StaffLogEntry.objects.order_by("-pk").values_list("digest", flat=True).first()
        entry = StaffLogEntry(
            happened_at=timezone.now(),
            actor=getattr(actor, "pk", None),
            action=action,
            target=row._meta.label_lower if row is not None else "",
            target_id=str(row.pk)[:80] if row is not None else "",
            person=person,
            details=details,
            previous=last or FIRST,
        )
        entry.digest = _digest(entry, _keys()[0])
        entry.save(force_insert=True)
    return entry


def hidden(text: str) -> str:
    """Return a keyed hash of a text, to recognise it by without storing it. Case and outer spaces do not matter."""
    return hmac.new(_keys()[0], text.strip().casefold().encode(), hashlib.sha256).hexdigest()[:32]


@dataclass
class Verdict:
    """The result of checking the chain: the number of rows, the last digest (keep it elsewhere), the broken rows."""

    rows: int = 0
    last: str = FIRST
    broken: list[int] = field(default_factory=list)


def verify() -> Verdict:
    """Read the whole log and check every digest and that each row follows the one before it.

    Rows that were cut off at the end are noticed only by who knows an earlier `last` digest: it must still be there.
    """
    verdict, keys = Verdict(), _keys()
    for entry in StaffLogEntry.objects.order_by("pk").iterator(chunk_size=2000):
        verdict.rows += 1
        is_whole = any(hmac.compare_digest(entry.digest, _digest(entry, key)) for key in keys)
        if (entry.previous != verdict.last or not is_whole) and len(verdict.broken) < MOST_BROKEN:
            verdict.broken.append(entry.pk)
        verdict.last = entry.digest
    return verdict


def _keys() -> list[bytes]:
    """Return the key of new rows, then those of SECRET_KEY_FALLBACKS."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [hashlib.sha256(f"staff log:{secret}".encode()).digest() for secret in secrets]


def _digest(entry: StaffLogEntry, key: bytes) -> str:
    content: list[Any] = [
        entry.previous,
        entry.happened_at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor,
        entry.action,
        entry.target,
        entry.target_id,
        entry.person,
        entry.details,
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
