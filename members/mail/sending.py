"""Sending one queued email: claim it with a lease, hand it over, record the outcome. Called by tasks.py and sweep.py.

A lease is checked by its exact value: a sender that lost its lease can neither deliver nor write. Leases use real
time, not the business clock. Many senders at a time are in sweep.py, the mail servers in handoff.py.
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
from members.errors import in_words
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
# Streams in the order of sending. Within a stream urgent messages are first, then those due longest.
SERVICE, RELATIONSHIP = (Stream.SERVICE, Stream.STAFF), (Stream.RELATIONSHIP,)
EVERY_STREAM = (*SERVICE, *RELATIONSHIP)


def claim(message_id: int | None = None, streams: Sequence[Stream] = EVERY_STREAM) -> Message | None:
    """Claim the next due message (or `message_id`, if it is due) for sending; return it, or None if there is none.

    Streams are taken in the given order; within one, urgent messages first, then those due longest. Due messages that
    must not be sent any more are closed on the way. Safe to call concurrently: each message is claimed once.
    """
    is_claimed = False
    message: Message | None = None
    while not is_claimed:
        with transaction.atomic():
            message = _next_due(message_id, streams)
            if message is None:
                return None
            is_claimed = not (_was_given_up(message) or _was_withheld(message))
            if is_claimed:
                message.state = Message.State.SENDING
                message.lease_until = timezone.now() + LEASE
                message.attempts += 1
                message.save(update_fields=["state", "lease_until", "attempts", "to_email"])
    return message


def deliver(message: Message) -> Outcome:
    """Send a message returned by `claim` and record the outcome; return it. A broken template only delays the email."""
    try:
        letter = render(message)
        email = as_email(message, letter)
    except Exception as problem:  # one email that cannot be rendered must not stop the others
        logger.error("message %s (%s) cannot be rendered: %s", message.pk, message.kind, type(problem).__name__)
        outcome = Outcome(Result.LATER, in_words(problem))
    else:
        outcome = hand_over(email, message.stream, partial(_check_before_delivery, message, letter))
    _record(message, outcome)
    return outcome


def _next_due(message_id: int | None, streams: Sequence[Stream]) -> Message | None:
    """Return the next due message, locked, or None; with `message_id`, that one if it is due.

    Skips messages that another process has locked, and all to readers until the newsroom has a postal address. Without
    `message_id` one query per stream, in the order of the index: the cost does not grow with the number of waiting
    messages.
    """
    due = Message.objects.due().select_related("supporter").select_for_update(skip_locked=True, of=("self",))
    if permission.waits_for_address():
        due = due.filter(stream=Stream.STAFF)
    if message_id:
        return due.filter(pk=message_id).first()
    for stream in streams:
        if first := due.filter(stream=stream).order_by("-is_urgent", "next_try_at", "pk").first():
            return first
    return None


def _was_given_up(message: Message) -> bool:
    """Close a message that must not be sent any more; return whether it was closed.

    It becomes UNKNOWN if it may have been delivered already, FAILED after too many attempts, CANCELED if it is too
    late and was certainly not delivered.
    """
    if message.unanswered > _allowed_repeats(message.kind):
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


def _was_withheld(message: Message) -> bool:
    """Check permission for the supporter's current address, and set that address on the message (`claim` saves it).

    Returns True if sending is not permitted and the message was therefore canceled.
    """
    message.to_email = permission.address_now(message)
    why = permission.reason_to_withhold(message)
    if why:
        _withhold(Message.objects.filter(pk=message.pk), message, why)
    return why is not None


def _withhold(row: QuerySet[Message], message: Message, why: Message.Withheld) -> None:
    """Cancel a message for this reason, which staff see and alerts count. `row` matches the message, or nothing."""
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


def _allowed_repeats(kind: str) -> int:
    """Return how many unanswered deliveries of this kind are followed by another attempt."""
    return 0 if kinds.of(kind).at_most_once else 1


def _check_before_delivery(message: Message, letter: Letter) -> bool:
    """Last check before delivery: our lease is still valid, the message was not cancelled, and sending is allowed.

    If so, record that and the rendered text, and return True. If the supporter's address has changed, queue the
    message again for the new address and return False.
    """
    if permission.address_now(message) != message.to_email:
        _update_leased(message, lease_until=None, **_retry_uncounted(message, timezone.now()))
        return False
    why = permission.reason_to_withhold(message)
    if why:
        _withhold(_leased(message), message, why)
        return False
    lease_until = timezone.now() + LEASE
    has_lease = _update_leased(
        message,
        lease_until=lease_until,
        unanswered=message.unanswered + 1,
        subject=letter.subject,
        body_text=letter.text,
        body_html=letter.html,
    )
    message.lease_until = lease_until
    return has_lease


def _record(message: Message, outcome: Outcome) -> None:
    """Save and log the outcome of an attempt; nothing is saved if our lease was lost.

    A withheld message has been saved by the last check before delivery.
    """
    if outcome.result is Result.WITHHELD:
        return
    changes = _changes(message, outcome)
    has_lease = _update_leased(
        message, lease_until=None, error=outcome.error, provider_id=outcome.provider_id, **changes
    )
    level = logging.INFO if outcome.result is Result.SENT else logging.WARNING
    state = changes["state"] if has_lease else "lost its lease"
    logger.log(level, "message %s (%s): %s, %s", message.pk, message.kind, outcome.result, state)


def _changes(message: Message, outcome: Outcome) -> dict[str, Any]:
    """Return the message's new field values after an attempt.

    The last check counted this delivery as unanswered; unless the result is UNKNOWN, `unanswered` is set back to the
    value it had before.
    """
    if outcome.is_untried:
        return _retry_when_the_server_is_back(message)
    changes = {Result.SENT: _sent, Result.REFUSED: _failed, Result.LATER: _later, Result.UNKNOWN: _unknown}
    return changes[outcome.result](message)


def _retry_when_the_server_is_back(message: Message) -> dict[str, Any]:
    """Return a retry in a minute. The attempt is not counted, so that an outage of days does not exhaust them."""
    return {**_retry_uncounted(message, timezone.now() + FIRST_DELAY), "unanswered": message.unanswered}


def _retry_uncounted(message: Message, until: datetime) -> dict[str, Any]:
    return {"state": Message.State.PENDING, "next_try_at": until, "attempts": message.attempts - 1}


def _sent(message: Message) -> dict[str, Any]:
    return {"state": Message.State.SENT, "sent_at": clock.now(), "unanswered": message.unanswered}


def _failed(message: Message) -> dict[str, Any]:
    return {"state": Message.State.FAILED, "unanswered": message.unanswered}


def _later(message: Message) -> dict[str, Any]:
    if message.attempts >= TRIES:
        return _failed(message)
    return {**_retry(message), "unanswered": message.unanswered}


def _unknown(message: Message) -> dict[str, Any]:
    if message.unanswered < _allowed_repeats(message.kind):
        return _retry(message)
    return {"state": Message.State.UNKNOWN}


def _retry(message: Message) -> dict[str, Any]:
    """Return a retry whose delay doubles with each attempt, up to an hour; for urgent messages up to five minutes."""
    longest = LONGEST_DELAY_URGENT if message.is_urgent else LONGEST_DELAY
    delay = min(FIRST_DELAY * 2 ** min(message.attempts - 1, 10), longest)
    return {"state": Message.State.PENDING, "next_try_at": timezone.now() + delay}


def _update_leased(message: Message, **values: Any) -> bool:
    """Update the message's row, if this sender still has the lease; return whether it has."""
    return bool(_leased(message).update(**values))


def _leased(message: Message) -> QuerySet[Message]:
    """Return the message's row if this sender still has the lease, else nothing."""
    return Message.objects.filter(pk=message.pk, state=Message.State.SENDING, lease_until=message.lease_until)
