"""Sending what is owed: claim a message with a lease, hand it over, write down what became of it. Called by the tasks.

A lease is fenced by its own value: who lost it can neither deliver nor write. Leases read real time, not the clock.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from members import clock, mail_kinds
from members.mail_handoff import Outcome, Result, hand_over
from members.mail_kinds import Stream
from members.mail_letters import Letter, as_email, render
from members.models import Message

logger = logging.getLogger("hromada.mail")

# Whose letters go first. Within a stream those that somebody waits for, then the ones due longest.
STREAMS = (Stream.SERVICE, Stream.STAFF, Stream.RELATIONSHIP)
LEASE = timedelta(minutes=2)
FIRST_DELAY, LONGEST_DELAY = timedelta(minutes=1), timedelta(hours=1)
TRIES = 30  # with these delays, 24 hours


def send_due(limit: int = 200, seconds: float = 100) -> bool:
    """Send what is due, oldest first, as long as limit and time allow. True when more may be due.

    Safe to run any number of times at once: a message is claimed by one sender. Stops when the mail server is away.
    """
    until = time.monotonic() + seconds
    for _number in range(limit):
        message = claim()
        if message is None or deliver(message).is_server_away:
            return False
        if time.monotonic() > until:
            break
    return True


def claim(message_id: int | None = None) -> Message | None:
    """The next message that is due (or this one, if it is), now ours to send; None when there is none."""
    with transaction.atomic():
        message = _next_due(message_id)
        while message and _is_beyond_sending(message):
            message = _next_due(message_id)
        if message:
            message.state, message.lease_until = Message.State.SENDING, timezone.now() + LEASE
            message.attempts += 1
            message.save(update_fields=["state", "lease_until", "attempts"])
    return message


def deliver(message: Message) -> Outcome:
    """Send a message that `claim` gave and write down what became of it. A broken letter costs a delay, no more."""
    try:
        letter = render(message)
        email = as_email(message, letter)
    except Exception as problem:  # one letter that cannot be rendered must not stop the others
        logger.error("message %s (%s) cannot be rendered: %s", message.pk, message.kind, type(problem).__name__)
        outcome = Outcome(Result.LATER, f"{type(problem).__name__}: {problem}")
    else:
        outcome = hand_over(email, partial(_last_moment, message, letter))
    _record(message, outcome)
    return outcome


def _next_due(message_id: int | None) -> Message | None:
    """A stream at a time, because the index is in that order: however many wait, finding the first costs the same."""
    due = Message.objects.due().select_for_update(skip_locked=True)
    if message_id:
        return due.filter(pk=message_id).first()
    for stream in STREAMS:
        if first := due.filter(stream=stream).order_by("-is_urgent", "next_try_at", "pk").first():
            return first
    return None


def _is_beyond_sending(message: Message) -> bool:
    """Settles what may not go out: a sender died while the mail server had it, sender after sender died, too late."""
    if message.unanswered > _may_repeat(message.kind):
        message.state, message.error = Message.State.UNKNOWN, _("The sender stopped while the mail server had it.")
    elif message.attempts >= TRIES:
        message.state, message.error = Message.State.FAILED, _("Every sender stopped while at it.")
    elif message.expires_at and message.expires_at < timezone.now() and not message.unanswered:
        message.state, message.error = Message.State.CANCELED, _("It came too late to be of use.")
    else:
        return False
    message.lease_until = None
    message.save(update_fields=["state", "lease_until", "error"])
    logger.warning("message %s (%s): %s", message.pk, message.kind, message.state)
    return True


def _may_repeat(kind: str) -> int:
    return 0 if mail_kinds.of(kind).at_most_once else 1


def _last_moment(message: Message, letter: Letter) -> bool:
    """Right before it could be delivered: still ours, not canceled meanwhile? Then the row says so, with the words."""
    lease_until = timezone.now() + LEASE
    is_ours = _write(
        message,
        lease_until=lease_until,
        unanswered=message.unanswered + 1,
        subject=letter.subject,
        body_text=letter.text,
        body_html=letter.html,
    )
    message.lease_until = lease_until
    return is_ours


def _record(message: Message, outcome: Outcome) -> None:
    if outcome.result is Result.WITHHELD:
        return
    changes = {
        Result.SENT: _sent,
        Result.REFUSED: _failed,
        Result.LATER: _later,
        Result.UNKNOWN: _unknown,
    }[outcome.result](message)
    is_ours = _write(message, lease_until=None, error=outcome.error, **changes)
    level = logging.INFO if outcome.result is Result.SENT else logging.WARNING
    what = changes["state"] if is_ours else "lost its lease"
    logger.log(level, "message %s (%s): %s, %s", message.pk, message.kind, outcome.result, what)


def _sent(message: Message) -> dict[str, Any]:
    return {"state": Message.State.SENT, "sent_at": clock.now(), "unanswered": message.unanswered}


def _failed(message: Message) -> dict[str, Any]:
    return {"state": Message.State.FAILED, "unanswered": message.unanswered}


def _later(message: Message) -> dict[str, Any]:
    if message.attempts >= TRIES:
        return _failed(message)
    return {**_again(message), "unanswered": message.unanswered}


def _unknown(message: Message) -> dict[str, Any]:
    if message.unanswered < _may_repeat(message.kind):
        return _again(message)
    return {"state": Message.State.UNKNOWN}


def _again(message: Message) -> dict[str, Any]:
    delay = min(FIRST_DELAY * 2 ** min(message.attempts - 1, 10), LONGEST_DELAY)
    return {"state": Message.State.PENDING, "next_try_at": timezone.now() + delay}


def _write(message: Message, **values: Any) -> bool:
    """Write to the row, if the lease is still the one this sender holds."""
    mine = Message.objects.filter(pk=message.pk, state=Message.State.SENDING, lease_until=message.lease_until)
    return bool(mine.update(**values))
