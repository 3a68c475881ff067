"""PostgreSQL's advisory locks, each with a name such as "request:<id>" that one process at a time can hold.

A lock belongs to the database connection, not to a transaction, so that Stripe can be called while it is held. It ends
with the block, or with the connection. It does not separate code that shares one connection.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import connection

_WAIT = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
_TRY = "SELECT name FROM unnest(%s::text[]) AS name WHERE pg_try_advisory_lock(hashtextextended(name, 0))"
_TRY_EVERY_SECONDS = 0.05
_RELEASE = "SELECT pg_advisory_unlock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name"


@contextmanager
def held(name: str) -> Iterator[None]:
    """Wait until no other connection has this lock, then hold it until the end of the block."""
    with connection.cursor() as cursor:
        cursor.execute(_WAIT, [name])
    try:
        yield
    finally:
        _release([name])


@contextmanager
def taken(names: Collection[str], within: float = 0.0) -> Iterator[set[str]]:
    """Lock as many of these names as are free, or become free `within` some seconds, until the end of the block.

    Yields the names that were locked; the others are locked by another connection. A connection that holds a lock can
    take it once more.
    """
    locked = _try(set(names))
    deadline = time.monotonic() + within
    try:
        while len(locked) < len(set(names)) and time.monotonic() < deadline:
            time.sleep(_TRY_EVERY_SECONDS)
            locked |= _try(set(names) - locked)
        yield locked
    finally:
        _release(locked)


def _try(names: Collection[str]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_TRY, [list(names)])
        return {row[0] for row in cursor.fetchall()}


def _release(names: Collection[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [list(names)])
