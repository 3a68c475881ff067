"""Sending what is owed: claim a message with a lease, hand it over, write down what became of it. Called by the tasks.

A lease is fenced by its own value: who lost it can neither deliver nor write. Leases read real time, not the clock.
Which messages are due, and how many senders work side by side: members/mail/sweep.py.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from members import clock
from members.mail import kinds, permission
from members.mail.handoff import hand_over
from members.mail.kinds import Stream
from members.mail.outcome import Outcome, Result
from members.mail.rendering import Letter, as_email, render
from members.models import Message

logger = logging.getLogger("hromada.mail")

LEASE = timedelta(minutes=2)
FIRST_DELAY, LONGEST_DELAY, LONGEST_DELAY_URGENT = timedelta(minutes=1), timedelta(hours=1), timedelta(minutes=5)
TRIES = 30  # with these delays, 24 hours
# Whose letters go first. Within a stream those that somebody waits for, then the ones due longest.
SERVICE, RELATIONSHIP = (Stream.SERVICE, Stream.STAFF), (Stream.RELATIONSHIP,)
EVERY_STREAM = (*SERVICE, *RELATIONSHIP)


def claim(message_id: int | None = None, streams: Sequence[Stream] = EVERY_STREAM) -> Message | None:
    """The next message that is due (or this one, if it is), now ours to send; None when there is none.

    The streams come in their order, in each what somebody waits for, then what has been due for longest. What may not
    be sent any more is settled on the way.
    """
    is_ours = False
    message: Message | None = None
    while not is_ours:
        with transaction.atomic():
            message = _next_due(message_id, streams)
            if message is None:
                return None
            is_ours = not (_is_beyond_sending(message) or _is_withheld(message))
            if is_ours:
                message.state, message.lease_until = Message.State.SENDING, timezone.now() + LEASE
                message.attempts += 1
                message.save(update_fields=["state", "lease_until", "attempts", "to_email"])
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
        outcome = hand_over(email, message.stream, partial(_last_moment, message, letter))
    _record(message, outcome)
    return outcome


def _next_due(message_id: int | None, streams: Sequence[Stream]) -> Message | None:
    """A stream at a time, because the index is in that order: however many wait, finding the first costs the same."""
    due = Message.objects.due().select_related("supporter").select_for_update(skip_locked=True, of=("self",))
    if message_id:
        return due.filter(pk=message_id).first()
    for stream in streams:
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


def _is_withheld(message: Message) -> bool:
    """Asked about the address it goes to now, which from here on is the message's."""
    message.to_email = permission.address_now(message)
    why = permission.why_not(message)
    if why:
        _withhold(Message.objects.filter(pk=message.pk), message, why)
    return why is not None


def _withhold(row: QuerySet[Message], message: Message, why: Message.Withheld) -> None:
    """Not sent after all; staff read why, and the alerts count what should have reached somebody."""
    canceled = row.update(
        state=Message.State.CANCELED,
        lease_until=None,
        error=str(why.label),
        withheld=why,
        withheld_at=timezone.now(),
        to_email=message.to_email,
    )
    if canceled:
        logger.warning("message %s (%s) withheld: %s", message.pk, message.kind, why.value)


def _may_repeat(kind: str) -> int:
    return 0 if kinds.of(kind).at_most_once else 1


def _last_moment(message: Message, letter: Letter) -> bool:
    """Right before it could be delivered: still ours, not canceled meanwhile, and it may leave? Then the row says so,
    with the words. One whose reader has another address by now is put back, and leaves for that one.
    """
    if permission.address_now(message) != message.to_email:
        _write(message, lease_until=None, **_waits_untried(message, timezone.now()))
        return False
    why = permission.why_not(message)
    if why:
        _withhold(_mine(message), message, why)
        return False
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
    changes = _changes(message, outcome)
    is_ours = _write(message, lease_until=None, error=outcome.error, provider_id=outcome.provider_id, **changes)
    level = logging.INFO if outcome.result is Result.SENT else logging.WARNING
    what = changes["state"] if is_ours else "lost its lease"
    logger.log(level, "message %s (%s): %s, %s", message.pk, message.kind, outcome.result, what)


def _changes(message: Message, outcome: Outcome) -> dict[str, Any]:
    if outcome.is_untried:
        return _waits_for_the_server(message)
    what = {Result.SENT: _sent, Result.REFUSED: _failed, Result.LATER: _later, Result.UNKNOWN: _unknown}
    return what[outcome.result](message)


def _waits_for_the_server(message: Message) -> dict[str, Any]:
    """Nobody was there to try it on: no try is spent, so that an outage of days loses nothing, and it is due soon."""
    return {**_waits_untried(message, timezone.now() + FIRST_DELAY), "unanswered": message.unanswered}


def _waits_untried(message: Message, until: datetime) -> dict[str, Any]:
    return {"state": Message.State.PENDING, "next_try_at": until, "attempts": message.attempts - 1}


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
    longest = LONGEST_DELAY_URGENT if message.is_urgent else LONGEST_DELAY
    delay = min(FIRST_DELAY * 2 ** min(message.attempts - 1, 10), longest)
    return {"state": Message.State.PENDING, "next_try_at": timezone.now() + delay}


def _write(message: Message, **values: Any) -> bool:
    """Write to the row, if the lease is still the one this sender holds."""
    return bool(_mine(message).update(**values))


def _mine(message: Message) -> QuerySet[Message]:
    return Message.objects.filter(pk=message.pk, state=Message.State.SENDING, lease_until=message.lease_until)
