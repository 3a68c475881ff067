"""What one comparison has met at Stripe, in a temporary table of its connection: memory stays flat, joins stay in SQL.

`kind` is what a list is about, or one of the marks below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# What our books lack and is ours: charges that succeeded, with their intents; customers of subscriptions.
MISSING, CUSTOMER = "lacked", "customer"
UNSEEN = "NOT EXISTS (SELECT FROM seen_at_stripe WHERE seen_at_stripe.id = {id})"


@contextmanager
def table() -> Iterator[None]:
    """Open an empty table for the time of one comparison."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.seen_at_stripe")
        cursor.execute("CREATE TEMPORARY TABLE seen_at_stripe (kind text, id text)")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS pg_temp.seen_at_stripe")


def mark(kind: str, ids: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO seen_at_stripe SELECT %s, unnest(%s::text[])", [kind, [id for id in ids if id]])


def among(kind: str, ids: Iterable[str]) -> set[str]:
    """Which of these were marked."""
    with connection.cursor() as cursor:
        query = "SELECT DISTINCT id FROM seen_at_stripe WHERE kind = %s AND id = ANY(%s::text[])"
        cursor.execute(query, [kind, [id for id in ids if id]])
        return {row[0] for row in cursor.fetchall()}


def unseen(query: str, parameters: list[Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of ours that no list named. `query` holds UNSEEN, formatted with the column of Stripe's id."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE seen_at_stripe")
        cursor.execute(query, parameters)
        while rows := cursor.fetchmany(500):
            yield from rows
