"""Advisory locks of PostgreSQL: one process at a time does what a name stands for.

They are held by this connection, not by a transaction, so that Stripe can be asked meanwhile; a connection that ends
gives them back. Real locks between processes: a thread that shares the connection is not kept out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import connection

_WAIT = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
_TRY = "SELECT name FROM unnest(%s::text[]) AS name WHERE pg_try_advisory_lock(hashtextextended(name, 0))"
_RELEASE = "SELECT pg_advisory_unlock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name"


@contextmanager
def held(name: str) -> Iterator[None]:
    """Wait until nobody else holds this name, and hold it until the end of the block."""
    with connection.cursor() as cursor:
        cursor.execute(_WAIT, [name])
    try:
        yield
    finally:
        _release([name])


@contextmanager
def taken(names: Collection[str]) -> Iterator[set[str]]:
    """Hold those of these names that nobody else holds, until the end of the block; yields them. Never waits."""
    with connection.cursor() as cursor:
        cursor.execute(_TRY, [list(names)])
        ours = {row[0] for row in cursor.fetchall()}
    try:
        yield ours
    finally:
        _release(ours)


def _release(names: Collection[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [list(names)])
