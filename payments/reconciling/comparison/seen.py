"""The Stripe ids that a comparison has met, in a temporary table: memory stays flat, and joins stay in SQL.

Each id is marked with the kind of object whose list named it, or with one of the marks below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# Marks of objects that are ours but missing from our database: succeeded charges and their intents, refunds, disputes;
# and the customers of such subscriptions.
MISSING, CUSTOMER = "missing", "customer"
# A condition for our rows that no list of Stripe's named; format it with the column of Stripe's id.
UNSEEN = "NOT EXISTS (SELECT FROM seen_at_stripe WHERE seen_at_stripe.id = {id})"


@contextmanager
def table() -> Iterator[None]:
    """Create an empty table for the block and drop it afterwards. Belongs to this database connection."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.seen_at_stripe")
        cursor.execute("CREATE TEMPORARY TABLE seen_at_stripe (kind text, id text)")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS pg_temp.seen_at_stripe")


def mark(kind: str, ids: Iterable[str]) -> None:
    """Add ids with this mark. Empty ids are ignored."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO seen_at_stripe SELECT %s, unnest(%s::text[])", [kind, [id for id in ids if id]])


def among(kind: str, ids: Iterable[str]) -> set[str]:
    """Return the ids among these that have this mark."""
    with connection.cursor() as cursor:
        query = "SELECT DISTINCT id FROM seen_at_stripe WHERE kind = %s AND id = ANY(%s::text[])"
        cursor.execute(query, [kind, [id for id in ids if id]])
        return {row[0] for row in cursor.fetchall()}


def unseen(query: str, parameters: list[Any]) -> Iterator[tuple[Any, ...]]:
    """Run a query with the condition UNSEEN and yield its rows: our rows that no list of Stripe's named."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE seen_at_stripe")
        cursor.execute(query, parameters)
        while rows := cursor.fetchmany(500):
            yield from rows
