"""Tombstones: keyed hashes of the address and Stripe ids of erased people, made with SECRET_KEY.

They tell whether something that arrives late belongs to an erased person, and find people again in a restored backup.
A hash made with a former key is still found while that key is in SECRET_KEY_FALLBACKS. Written by
payments/rights/forgetting.py, read wherever data could come back.
"""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils.crypto import salted_hmac

from members import addresses, clock
from members.models import Supporter, Tombstone

log = logging.getLogger("hromada.rights")

SALT = "members.rights.tombstones"
# Hashed addresses of suppressions end like this: mail to it cannot be delivered (RFC 2606).
NOWHERE = "erased.invalid"


def mark(value: str) -> str:
    """Return the keyed hash of an address or id, made with SECRET_KEY."""
    return _mark(value, settings.SECRET_KEY)


def marks(value: str) -> list[str]:
    """Return the hashes under which a value may be stored: made with SECRET_KEY, and with each former key."""
    return [_mark(value, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def placeholder(supporter: Supporter) -> str:
    """Return the address that an erased supporter's rows get: unique, and leading nowhere."""
    return f"{supporter.public_id.hex}@{NOWHERE}"


def hashed_addresses(email: str) -> list[str]:
    """Return the forms in which an address may be stored after its person was erased, the present one first."""
    return [f"{each[:48]}@{NOWHERE}" for each in marks(address_key(email))]


def address_key(email: str) -> str:
    """Return an address as it is hashed: in the form in which it is stored, in small letters."""
    return addresses.normal(email).lower()


def keep(supporter: Supporter, emails: Iterable[str], ids: Iterable[str], at: datetime) -> None:
    """Store the tombstones of a supporter who is erased. Idempotent."""
    made = [(Tombstone.Kind.ADDRESS, address_key(email)) for email in emails]
    made += [(Tombstone.Kind.STRIPE, stripe_id) for stripe_id in ids if stripe_id]
    rows = [
        Tombstone(kind=kind, mark=mark(value), supporter_public_id=supporter.public_id, erased_at=at)
        for kind, value in made
    ]
    Tombstone.objects.bulk_create(rows, ignore_conflicts=True)


def erased_among(values: Iterable[str]) -> dict[str, Tombstone]:
    """Return the newest tombstone of each of these Stripe ids and addresses that has one. One query.

    Addresses are given in small letters. An address alone says little: its person may have given again.
    """
    wanted = set(values)
    if not wanted:
        return {}
    asked = {each: value for value in wanted for each in marks(value)}
    return {asked[row.mark]: row for row in Tombstone.objects.filter(mark__in=asked).order_by("erased_at")}


def are_there() -> bool:
    """Return whether anybody was ever erased here."""
    return Tombstone.objects.exists()


def erased_supporter(public_id: uuid.UUID) -> Supporter:
    """Return the row of an erased supporter, without a name or an address; made again if it was lost."""
    unnamed = Supporter(public_id=public_id)
    values = {"email": placeholder(unnamed), "erased_at": clock.now()}
    return Supporter.objects.get_or_create(public_id=public_id, defaults=values)[0]


def erased_at(email: str) -> datetime | None:
    """Return when the person with this address was last erased; None if never. For imports of lists of people.

    Whoever gives again after that is a new supporter: only data older than this moment must stay away.
    """
    rows = Tombstone.objects.filter(kind=Tombstone.Kind.ADDRESS, mark__in=marks(address_key(email)))
    return rows.order_by("-erased_at").values_list("erased_at", flat=True).first()


def copy_path() -> Path:
    """Return the file beside the database in which a copy of all tombstones is kept."""
    return Path(settings.DATA_DIR) / "tombstones.jsonl"


def keep_copy() -> None:
    """Write all tombstones to the copy beside the database, so that restoring an older backup does not lose them.

    Where it cannot be written, a line is logged: `manage.py tombstones` writes them elsewhere. Call it after a commit.
    """
    try:
        replace_file(copy_path(), "".join(f"{line}\n" for line in written()))
    except OSError as problem:
        log.error("tombstones not copied: %s", type(problem).__name__)


def replace_file(path: Path, text: str) -> None:
    """Write a file completely or not at all, readable by its owner only. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def written() -> Iterator[str]:
    """Return all tombstones as lines of JSON, to be kept apart from the backups. They name nobody."""
    for row in Tombstone.objects.order_by("pk").iterator():
        yield json.dumps(
            {
                "kind": row.kind,
                "mark": row.mark,
                "supporter": str(row.supporter_public_id),
                "erased_at": row.erased_at.isoformat(),
            }
        )


def read_back(lines: Iterable[str]) -> int:
    """Store tombstones that `written` has returned, and return how many lines there were. Idempotent.

    Raises ValueError for a line of another form; then nothing is stored.
    """
    rows = [_row(line) for line in lines if line.strip()]
    Tombstone.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def returned() -> list[Supporter]:
    """Return the supporters whom a tombstone names although they are not erased: a restored backup has them again.

    A supporter who came after the erasing has given again, and is not returned. Reads every supporter once.
    """
    by_mark: dict[str, datetime] = {}
    by_row: dict[uuid.UUID, datetime] = {}
    for row in Tombstone.objects.order_by("erased_at").iterator():
        by_row[row.supporter_public_id] = row.erased_at
        if row.kind == Tombstone.Kind.ADDRESS:
            by_mark[row.mark] = row.erased_at
    return [
        supporter
        for supporter in Supporter.objects.filter(erased_at=None).iterator()
        if any(
            at > supporter.created_at
            for at in (
                *(by_mark[each] for each in marks(address_key(supporter.email)) if each in by_mark),
                *([by_row[supporter.public_id]] if supporter.public_id in by_row else []),
            )
        )
    ]


def _row(line: str) -> Tombstone:
    try:
        values = json.loads(line)
        return Tombstone(
            kind=Tombstone.Kind(values["kind"]),
            mark=str(values["mark"])[:64],
            supporter_public_id=uuid.UUID(values["supporter"]),
            erased_at=datetime.fromisoformat(values["erased_at"]),
        )
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError("This line is no tombstone.") from problem


def _mark(value: str, key: str) -> str:
    return salted_hmac(SALT, value, secret=key, algorithm="sha256").hexdigest()
