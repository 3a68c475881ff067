"""Letters that a day owes: one query a kind finds who is due and has none yet, however many, after however long.

Each kind is a query and a draft, beside the topic it is about (reminders.py). Called by the daily jobs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Generic, TypeVar, cast

from django.db import models, transaction
from django.db.models import Exists, Expression, Func, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast

from members.mail import outbox
from members.models import Message

log = logging.getLogger("hromada.due_letters")

Row = TypeVar("Row", bound=models.Model)
# So many rows are held and written at a time.
CHUNK = 500


def _nothing(_row: models.Model, _today: date) -> None:
    """Most letters are all that a day owes."""


@dataclass(frozen=True)
class DueLetter(Generic[Row]):
    """`candidates`: rows that may be owed this letter on a business date, found by a short query. `due`: those of them
    that are and have none yet (`unless_sent`); it begins with `candidates`, so a day without any owes nothing. `draft`:
    the letter of one row, None when there is nothing to say after all. `afterwards`: what else is done in the same
    transaction, for a letter that is new. All four are safe to call again.
    """

    name: str
    candidates: Callable[[date], QuerySet[Row]]
    due: Callable[[date], QuerySet[Row]]
    draft: Callable[[Row, date], Message | None]
    afterwards: Callable[[Row, date], None] = _nothing


@dataclass
class Counts:
    due: int = 0
    queued: int = 0
    skipped: int = 0
    failed: int = 0

    def add(self, other: Counts) -> None:
        self.queued += other.queued
        self.skipped += other.skipped
        self.failed += other.failed

    @property
    def unaccounted(self) -> int:
        return self.due - self.queued - self.skipped - self.failed


def key_of(*parts: str | Expression) -> Func:
    """Return a message's key in SQL: names of columns and values, joined with colons as keys are."""
    texts = [Cast(part, TextField()) for part in parts]
    return Func(*texts, template="(%(expressions)s)", arg_joiner=" || ':' || ", output_field=TextField())


def unless_sent(rows: QuerySet[Row], *key: str | Expression) -> QuerySet[Row]:
    """The rows that have no message with this key yet (see key_of)."""
    sent = Exists(Message.objects.filter(key=OuterRef("due_key")))
    return cast("QuerySet[Row]", rows.annotate(due_key=key_of(*key)).filter(~sent))


def send(kind: DueLetter[Row], today: date) -> Counts:
    """Owe every letter of this kind that is due. Safe to run many times a day and at once: keys exist once.

    Most days owe nothing, and then only the short query runs. Memory stays flat. What fails for one row costs nobody
    else's letter: its chunk is written row by row instead.
    """
    counts = Counts()
    if not kind.candidates(today).exists():
        return counts
    rows = kind.due(today).iterator(chunk_size=CHUNK)
    with outbox.waking_once():
        while chunk := list(islice(rows, CHUNK)):
            counts.due += len(chunk)
            try:
                with transaction.atomic():
                    done = _owe(kind, chunk, today)
            except Exception:  # a row of them is broken; which one is found by taking them one by one
                done = _one_by_one(kind, chunk, today)
            counts.add(done)
    _tell(kind, counts)
    return counts


def _owe(kind: DueLetter[Row], rows: Iterable[Row], today: date) -> Counts:
    counts, drafts = Counts(), dict[str, tuple[Row, Message]]()
    for row in rows:
        if letter := kind.draft(row, today):
            drafts[letter.key] = (row, letter)
        else:
            counts.skipped += 1
    new = outbox.enqueue([letter for _row, letter in drafts.values()])
    for letter in new:
        kind.afterwards(drafts[letter.key][0], today)
    counts.queued, counts.skipped = len(new), counts.skipped + len(drafts) - len(new)
    return counts


def _one_by_one(kind: DueLetter[Row], rows: Iterable[Row], today: date) -> Counts:
    counts = Counts()
    for row in rows:
        try:
            with transaction.atomic():
                counts.add(_owe(kind, [row], today))
        except Exception as problem:  # one row that cannot be written to must not stop the others
            counts.failed += 1
            what = (kind.name, row._meta.model_name, row.pk, type(problem).__name__)
            log.error("letter %s for %s %s failed: %s", *what)
    return counts


def _tell(kind: DueLetter[Row], counts: Counts) -> None:
    if counts.due:
        level = logging.ERROR if counts.failed or counts.unaccounted else logging.INFO
        log.log(
            level,
            "letters %s: %s due, %s queued, %s not needed, %s failed, %s unaccounted",
            kind.name,
            counts.due,
            counts.queued,
            counts.skipped,
            counts.failed,
            counts.unaccounted,
        )
