"""Queueing emails: a message is a row with a unique key, written in the transaction of its cause.

Celery sends it after the commit (members/mail/sending.py). Redis only makes that fast: without it, the sweep that runs
every 20 seconds finds the message (members/mail/sweep.py).
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
# Celery's queues: for work that people wait for, and for work that can wait (project/schedule.py).
PROMPT, BULK = "celery", "bulk"
SWEEPS = {PROMPT: "members.tasks.send_due_messages", BULK: "members.tasks.send_due_relationship_messages"}
_quiet_until = 0.0
# Inside `waking_once`: the first two messages to wake a worker for, by queue. Outside of it: None.
_collected: ContextVar[dict[str, list[int]] | None] = ContextVar("collected", default=None)


def send(
    kind: str, *, key: str, to_email: str, language: str, context: dict[str, Any], supporter: Supporter | None
) -> Message | None:
    """Queue one email, to be rendered from `templates/emails/<kind>/` with this `context`; return the message.

    Returns None if a message with this key exists already, or the supporter was erased. Idempotent; safe to call
    concurrently. `context` is plain JSON, with money in minor units next to its currency; raises TypeError if it is not
    JSON. The message rolls back with the caller's transaction and is sent after its commit.
    """
    letter = draft(kind, key=key, to_email=to_email, language=language, context=context, supporter=supporter)
    return next(iter(enqueue([letter])), None)


def draft(
    kind: str, *, key: str, to_email: str, language: str, context: dict[str, Any], supporter: Supporter | None
) -> Message:
    """Build the email that `send` would queue, without queueing it. Writes nothing.

    With a supporter, it goes to their address at the time of sending; for any other address, leave the supporter
    empty. A language we do not offer becomes LANGUAGE_CODE.
    """
    offered = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    how = kinds.of(kind)
    return Message(
        kind=kind,
        key=key,
        to_email=to_email,
        language=offered,
        context=context,
        supporter=supporter,
        stream=how.stream,
        is_urgent=how.is_urgent,
        expires_at=timezone.now() + how.lives if how.lives else None,
    )


def cancel(letters: QuerySet[Message], why: str) -> int:
    """Cancel unsent emails that are no longer needed; return how many. Idempotent.

    `why` is stored for staff. An email already claimed by a sender is checked again just before delivery.
    """
    waiting = letters.filter(state__in=[Message.State.PENDING, Message.State.SENDING])
    return waiting.update(state=Message.State.CANCELED, error=why, lease_until=None)


def enqueue(letters: list[Message]) -> list[Message]:
    """Queue these drafts in one statement, as `send` does; return those whose key was new. Idempotent.

    A draft to a supporter who was erased is dropped.
    """
    wanted = [letter for letter in letters if not (letter.supporter and letter.supporter.erased_at)]
    new = _insert_once(wanted) if wanted else []
    for message in new:
        transaction.on_commit(partial(wake, message.pk, _queue_of(message)))
    return new


def resend(message: Message) -> Message:
    """Queue another copy of an email, at the request of staff; return it.

    It goes to the supporter's current address or, without a supporter, to the same address. Its key is
    `<key>:again:<n>`. If an earlier copy is still unsent, that one is returned, so a second click queues nothing more.
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
    """Wake a worker to send this message now. Without Redis nothing happens, and the sweep sends it later."""
    collected = _collected.get()
    if collected is None:
        _call("members.tasks.send_message", queue, message_id)
    elif len(waiting := collected.setdefault(queue, [])) < 2:  # `waking_once` only needs to know: one, or several
        waiting.append(message_id)


@contextmanager
def waking_once() -> Iterator[None]:
    """Wrap a transaction that may queue many emails: afterwards, one wake-up per queue is sent for all of them.

    If the block raises, no worker is woken.
    """
    collected: dict[str, list[int]] = {}
    outer = _collected.set(collected)
    try:
        yield
    finally:
        _collected.reset(outer)
    for queue, message_ids in collected.items():
        if len(message_ids) == 1:
            wake(message_ids[0], queue)
        else:
            wake_sweep(queue)


def wake_sweep(queue: str = PROMPT) -> None:
    """Wake a worker for a sweep of this queue: more messages are due than one task should send."""
    _call(SWEEPS[queue], queue)


def _queue_of(message: Message) -> str:
    return BULK if message.stream == kinds.Stream.RELATIONSHIP else PROMPT


def _call(task: str, queue: str, *args: int) -> None:
    """Send a task to Celery: one attempt, one second at most. Raises nothing.

    After a failure this process sends no tasks for QUIET_SECONDS, so that a burst of emails is not slowed down.
    """
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    try:
        with pools.producers[_broker()].acquire(block=True) as producer:
            current_app.send_task(task, args=args, queue=queue, retry=False, producer=producer)
    except Exception as problem:  # any failure of the broker: the message is committed, the request must be answered
        _quiet_until = time.monotonic() + QUIET_SECONDS
        logger.warning("Redis is out of reach (%s): messages wait for the sweep", type(problem).__name__)


def _broker() -> Connection:
    """Return the broker's connection with a shorter timeout. Kombu's pools open equal connections once per process."""
    options = {**current_app.conf.broker_transport_options, "socket_timeout": 1}
    return current_app.connection_for_write(transport_options=options)


def _insert_once(messages: list[Message]) -> list[Message]:
    """Insert messages in one statement, except those whose key exists; return the inserted ones, with primary keys."""
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
