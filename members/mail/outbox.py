"""The one way to send: a message is a row, written in the transaction of its cause, under a key that exists once.

Celery sends it after the commit (members/mail/sending.py). Redis only makes that quick: without it the sweep finds it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu import Connection, pools

from members.mail import kinds
from members.models import Message, Supporter

logger = logging.getLogger("hromada.mail")

QUIET_SECONDS = 5.0
# The queues of Celery: work that somebody waits for, and work that can wait (project/schedule.py).
PROMPT, BULK = "celery", "bulk"
SWEEPS = {PROMPT: "members.tasks.send_due_messages", BULK: "members.tasks.send_due_relationship_messages"}
_quiet_until = 0.0
# The first messages to wake for at the end of `waking_once`, by queue; None outside of it.
_asked: ContextVar[dict[str, list[int]] | None] = ContextVar("asked", default=None)


def send(
    kind: str, *, key: str, to_email: str, language: str, context: dict[str, Any], supporter: Supporter | None
) -> Message | None:
    """Owe somebody one email: `templates/emails/<kind>/`, rendered with `context` as it is now.

    Returns None when the key exists already: safe to call any number of times. `context` is plain JSON; money in it is
    in minor units beside its currency. Rolls back with the caller's transaction, is sent after its commit.
    """
    letter = draft(kind, key=key, to_email=to_email, language=language, context=context, supporter=supporter)
    return next(iter(owe([letter])), None)


def draft(
    kind: str, *, key: str, to_email: str, language: str, context: dict[str, Any], supporter: Supporter | None
) -> Message:
    """A letter as `send` would owe it, not owed yet.

    One with a supporter goes to the address that they have when it leaves; one meant for another address has none.
    """
    known = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    how = kinds.of(kind)
    return Message(
        kind=kind,
        key=key,
        to_email=to_email,
        language=known,
        context=context,
        supporter=supporter,
        stream=how.stream,
        is_urgent=how.is_urgent,
        expires_at=timezone.now() + how.lives if how.lives else None,
    )


def take_back(letters: QuerySet[Message], why: str) -> int:
    """Letters that have lost their reason and were not sent yet are not sent; returns how many. Safe to call twice.

    One that a sender has in its hands is asked for again at its last moment, and finds that it is canceled.
    """
    waiting = letters.filter(state__in=[Message.State.PENDING, Message.State.SENDING])
    return waiting.update(state=Message.State.CANCELED, error=why, lease_until=None)


def owe(letters: list[Message]) -> list[Message]:
    """Owe these drafts, in one statement; returns those whose key was new. Like `send` in everything else."""
    new = _insert_once(letters) if letters else []
    for message in new:
        transaction.on_commit(partial(wake, message.pk, _queue_of(message)))
    return new


def resend(message: Message) -> Message:
    """For staff: the same letter once more, to the address the person has now. Keyed `<key>:again:<n>`.

    While an earlier copy still waits, that copy is the answer: a second click sends nothing more.
    """
    first = message.key.split(":again:")[0]
    copies = Message.objects.filter(key__startswith=f"{first}:again:").order_by("pk")
    waiting = copies.filter(state__in=[Message.State.PENDING, Message.State.SENDING]).first()
    if waiting:
        return waiting
    key = f"{first}:again:{copies.count() + 1}"
    to_email = message.supporter.email if message.supporter else message.to_email
    return send(
        message.kind,
        key=key,
        to_email=to_email,
        language=message.language,
        context=message.context,
        supporter=message.supporter,
    ) or Message.objects.get(key=key)


def wake(message_id: int, queue: str = PROMPT) -> None:
    """Ask a worker to send this message now. Without Redis nothing happens: the sweep sends it."""
    asked = _asked.get()
    if asked is None:
        _call("members.tasks.send_message", queue, message_id)
    elif len(waiting := asked.setdefault(queue, [])) < 2:  # whether it is one or many is all that is asked later
        waiting.append(message_id)


@contextmanager
def waking_once() -> Iterator[None]:
    """Put around a transaction that may owe many letters: a worker is asked once for all of them, after the commit."""
    asked: dict[str, list[int]] = {}
    outer = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(outer)
    for queue, message_ids in asked.items():
        if len(message_ids) == 1:
            wake(message_ids[0], queue)
        else:
            wake_sweep(queue)


def wake_sweep(queue: str = PROMPT) -> None:
    """Ask a worker for another sweep: more is due than one task should do."""
    _call(SWEEPS[queue], queue)


def _queue_of(message: Message) -> str:
    return BULK if message.stream == kinds.Stream.RELATIONSHIP else PROMPT


def _call(task: str, queue: str, *args: int) -> None:
    """One try, a second at most. After a failure this process keeps quiet for a while, so a burst is not slowed."""
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    try:
        with pools.producers[_broker()].acquire(block=True) as producer:
            current_app.send_task(task, args=args, queue=queue, retry=False, producer=producer)
    except Exception as problem:  # whatever a broker can do wrong, the cause is committed and its door must answer
        _quiet_until = time.monotonic() + QUIET_SECONDS
        logger.warning("Redis is out of reach (%s): messages wait for the sweep", type(problem).__name__)


def _broker() -> Connection:
    """The worker's broker with less patience. Pools know equal connections, so it is opened once a process."""
    options = {**current_app.conf.broker_transport_options, "socket_timeout": 1}
    return current_app.connection_for_write(transport_options=options)


def _insert_once(messages: list[Message]) -> list[Message]:
    """One INSERT that leaves out keys that exist, and says which were new."""
    fields = [field for field in Message._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(str(field.column) for field in fields)
    marks = f"({', '.join(['%s'] * len(fields))})"
    values = [
        field.get_db_prep_save(field.pre_save(message, add=True), connection)
        for message in messages
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Message._meta.db_table} ({columns}) VALUES {', '.join([marks] * len(messages))}"  # noqa: S608 - our own column names
            " ON CONFLICT (key) DO NOTHING RETURNING key, id",
            values,
        )
        ids = dict(cursor.fetchall())
    new = [message for message in messages if message.key in ids]
    for message in new:
        message.pk, message._state.adding = ids[message.key], False
    return new
