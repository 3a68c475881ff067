"""Emails that are due on a date, such as reminders: find the recipients of each kind by one query and queue the emails.

Each kind is a DueLetter, a query and a draft, in the module of its topic (such as reminders.py). Called by the daily
jobs; how many are due, and how many days were missed, does not matter.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Generic, TypeVar, cast

from django.db import models, transaction
from django.db.models import Exists, Expression, Func, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast

from members.mail import outbox
from members.models import Message
from payments.accounts import account as accounts
from payments.accounts.account import Account
from payments.models import Subscription

log = logging.getLogger("hromada.due_letters")

Row = TypeVar("Row", bound=models.Model)
# How many rows are in memory and written at a time.
CHUNK = 500


def _nothing(_row: models.Model, _today: date) -> None:
    """Do nothing: the default of DueLetter.afterwards."""


@dataclass(frozen=True)
class DueLetter(Generic[Row]):
    """A kind of email that is due on dates.

    `candidates` is a short query for the rows for which it may be due on a business date; `due` returns those of them
    for which it is due and not queued yet (see `unless_sent`). `drafts` returns the email of each row, or None if it is
    not needed (see `each` and `by_account`). `afterwards` is called in the same transaction for each new email. All
    four are idempotent.
    """

    name: str
    candidates: Callable[[date], QuerySet[Row]]
    due: Callable[[date], QuerySet[Row]]
    drafts: Callable[[Sequence[Row], date], Iterable[Message | None]]
    afterwards: Callable[[Row, date], None] = _nothing


def each(draft: Callable[[Row], Message | None]) -> Callable[[Sequence[Row], date], list[Message | None]]:
    """Return the `drafts` of an email that is drafted from its row alone."""
    return lambda rows, _today: [draft(row) for row in rows]


def by_account(
    draft: Callable[[Account, date], Message | None],
) -> Callable[[Sequence[Subscription], date], list[Message | None]]:
    """Return the `drafts` of an email that tells what comes next of a gift: its account says it.

    A query finds the gifts by what was last read from Stripe; the account also knows the requests that Stripe has
    accepted since, such as a stop. Six more queries for each CHUNK.
    """
    return lambda rows, today: [draft(account, today) for account in accounts.of_all(rows)]


@dataclass
class Counts:
    """How many emails were due, newly queued, skipped (not needed, or queued before), and failed."""

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
    """Return the SQL expression of a message's key: columns and values joined with colons."""
    texts = [Cast(part, TextField()) for part in parts]
    return Func(*texts, template="(%(expressions)s)", arg_joiner=" || ':' || ", output_field=TextField())


def unless_sent(rows: QuerySet[Row], *key: str | Expression) -> QuerySet[Row]:
    """Return the rows for which no message with this key exists yet (see `key_of`)."""
    sent = Exists(Message.objects.filter(key=OuterRef("due_key")))
    return cast("QuerySet[Row]", rows.annotate(due_key=key_of(*key)).filter(~sent))


def send(kind: DueLetter[Row], today: date) -> Counts:
    """Queue every email of this kind that is due on `today`, and return the counts.

    On most days nothing is due, and only the short query runs. Idempotent and safe to call concurrently, because keys
    are unique. Memory stays flat. An error with one row does not stop the others: its chunk is queued again row by row.
    Commits as it proceeds; raises nothing for a row.
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
                    done = _queue(kind, chunk, today)
            except Exception:  # an error with one of the rows: queueing them one by one finds it
                done = _queue_one_by_one(kind, chunk, today)
            counts.add(done)
    _log_counts(kind, counts)
    return counts


def _queue(kind: DueLetter[Row], rows: Sequence[Row], today: date) -> Counts:
    """Queue the emails of these rows in the caller's transaction; return the counts without `due`."""
    counts = Counts()
    drafts: dict[str, tuple[Row, Message]] = {}
    for row, letter in zip(rows, kind.drafts(rows, today), strict=True):
        if letter:
            drafts[letter.key] = (row, letter)
        else:
            counts.skipped += 1
    new = outbox.enqueue([letter for _row, letter in drafts.values()])
    for letter in new:
        kind.afterwards(drafts[letter.key][0], today)
    counts.queued = len(new)
    counts.skipped += len(drafts) - len(new)
    return counts


def _queue_one_by_one(kind: DueLetter[Row], rows: Iterable[Row], today: date) -> Counts:
    """Queue the emails of these rows, each in a transaction of its own; log and count the rows that fail."""
    counts = Counts()
    for row in rows:
        try:
            with transaction.atomic():
                counts.add(_queue(kind, [row], today))
        except Exception as problem:  # one broken row must not stop the others
            counts.failed += 1
            log.error("email %s for %s %s failed: %s", kind.name, row._meta.model_name, row.pk, type(problem).__name__)
    return counts


def _log_counts(kind: DueLetter[Row], counts: Counts) -> None:
    if counts.due:
        level = logging.ERROR if counts.failed or counts.unaccounted else logging.INFO
        log.log(
            level,
            "emails %s: %s due, %s queued, %s not needed, %s failed, %s unaccounted",
            kind.name,
            counts.due,
            counts.queued,
            counts.skipped,
            counts.failed,
            counts.unaccounted,
        )
