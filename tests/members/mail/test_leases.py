"""Senders that die or lose their lease: no email that must not be repeated is sent twice, and none is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from members.mail import sending
from members.models import Message
from members.tasks import send_due_messages
from tests.members.mail.test_sending import AGAIN, ONCE, after_send, queued
from tests.smtp_sink import SmtpSink


@pytest.mark.parametrize(("kind", "state", "copies"), [(ONCE, "unknown", 1), (AGAIN, "sent", 2)])
def test_a_sender_that_died_after_handing_over(db: None, sink: SmtpSink, kind: str, state: str, copies: int) -> None:
    message = queued(kind)
    claimed = sending.claim(message.pk)
    assert claimed is not None
    die_after_hand_over(claimed)
    assert len(sink.received) == 1
    assert after_send(message).state == "sending"  # the lease still runs
    Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    send_due_messages()
    message.refresh_from_db()
    assert message.state == state
    assert len(sink.received) == copies


def die_after_hand_over(message: Message) -> None:
    """Leave the row as after a sender was killed between the server's reply 250 and its own last write."""
    sending.deliver(message)
    lease_until = timezone.now() + timedelta(minutes=1)
    Message.objects.filter(pk=message.pk).update(
        state="sending", unanswered=message.unanswered + 1, lease_until=lease_until, sent_at=None
    )


@pytest.mark.parametrize("kind", [ONCE, AGAIN])
def test_a_sender_that_died_before_handing_over_costs_a_delay(db: None, sink: SmtpSink, kind: str) -> None:
    message = queued(kind)
    sending.claim(message.pk)
    send_due_messages()
    assert sink.received == []
    Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    send_due_messages()
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sent", 2)
    assert len(sink.received) == 1


def test_who_lost_the_lease_neither_delivers_nor_writes(db: None, sink: SmtpSink) -> None:
    message = queued(ONCE)
    slow = sending.claim(message.pk)
    assert slow is not None
    Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert after_send(message).state == "sent"
    sent_at = message.sent_at
    sending.deliver(slow)
    message.refresh_from_db()
    assert (message.state, message.sent_at) == ("sent", sent_at)
    assert len(sink.received) == 1


def test_a_message_canceled_while_it_is_prepared_stays_here(db: None, sink: SmtpSink) -> None:
    message = queued(ONCE)
    claimed = sending.claim(message.pk)
    assert claimed is not None
    Message.objects.update(state="canceled")
    sending.deliver(claimed)
    message.refresh_from_db()
    assert message.state == "canceled"
    assert sink.received == []


def test_a_canceled_message_is_never_claimed(db: None, sink: SmtpSink) -> None:
    assert after_send(queued(state="canceled")).state == "canceled"
    assert sink.connections == 0
