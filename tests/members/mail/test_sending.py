"""The result of sending a message: every reply of a mail server, broken connections, many concurrent senders."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from members.mail import sending, sweep
from members.models import Message
from members.tasks import send_due_messages, send_message
from tests.smtp_sink import SmtpSink

FACTS = {
    "first_name": "Olena",
    "amount": 1000,
    "currency": "EUR",
    "frequency": "month",
    "method": "Visa 4242",
    "reference": "HR-7K4M-2Q",
    "paid_on": "2026-11-22",
    "renews_on": "2026-12-22",
    "return_url": "https://courier.example/support/return/x/",
    "stop_url": "https://courier.example/stop/x/",
    "support_url": "https://courier.example/support/",
    "privacy_url": "https://courier.example/support/privacy/",
}
ONCE, AGAIN = "thanks_first_recurring", "cancelled"  # at most once; at least once


def queued(kind: str = AGAIN, number: int = 1, **values: Any) -> Message:
    ordinary = {"to_email": f"reader{number}@example.org", "language": "en", "context": FACTS}
    return Message.objects.create(kind=kind, key=f"{kind}:{number}", **{**ordinary, **values})


def after_send(message: Message) -> Message:
    send_message(message.pk)
    message.refresh_from_db()
    return message


def test_sent_and_kept_as_it_was_sent(db: None, sink: SmtpSink) -> None:
    message = after_send(queued(ONCE))
    assert (message.state, message.attempts, message.unanswered, message.error) == ("sent", 1, 0, "")
    assert message.sent_at is not None
    assert message.lease_until is None
    [letter] = sink.received
    text, html = (part.get_content().replace("\r\n", "\n") for part in letter.message.iter_parts())
    assert letter.recipient == "reader1@example.org"
    assert letter.message["Subject"] == message.subject
    assert (text, html) == (message.body_text, message.body_html)
    assert "You are a patron now." in text


def test_a_sent_message_is_not_sent_again(db: None, sink: SmtpSink) -> None:
    message = after_send(queued())
    send_message(message.pk)
    send_due_messages()
    assert len(sink.received) == 1


@pytest.mark.parametrize("mode", ["451", "451-data", "421", "drop-at-data"])
@pytest.mark.parametrize("kind", [ONCE, AGAIN])
def test_not_now_is_tried_later(db: None, sink: SmtpSink, mode: str, kind: str) -> None:
    sink.mode = mode
    message = after_send(queued(kind))
    tries = 0 if mode == "421" else 1  # while the server is away, no attempt is counted
    assert (message.state, message.attempts, message.unanswered) == ("pending", tries, 0)
    assert message.error
    assert timedelta(seconds=50) < message.next_try_at - timezone.now() <= timedelta(seconds=60)
    sink.mode = "250"
    assert after_send(message).state == "pending"  # not due yet
    Message.objects.update(next_try_at=timezone.now())
    assert after_send(message).state == "sent"
    assert len(sink.received) == 1


def test_no_server_is_tried_later(db: None, sink: SmtpSink, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    assert after_send(queued(ONCE)).state == "pending"


@pytest.mark.parametrize("mode", ["550", "550-data"])
@pytest.mark.parametrize("kind", [ONCE, AGAIN])
def test_a_refusal_is_final_and_seen(db: None, sink: SmtpSink, mode: str, kind: str) -> None:
    sink.mode = mode
    message = after_send(queued(kind))
    assert (message.state, message.unanswered) == ("failed", 0)
    assert message.error.startswith("550 ")
    send_due_messages()
    assert sink.connections == 1


def test_what_is_no_address_fails(db: None, sink: SmtpSink) -> None:
    message = after_send(queued(to_email="nobody\r\nBcc: all@example.org"))
    assert message.state == "failed"
    assert sink.connections == 0


def test_an_address_of_ours_that_is_none_waits_for_staff(db: None, sink: SmtpSink, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Courier, Kyiv"
    assert after_send(queued()).state == "pending"


def test_an_error_at_quit_changes_nothing(db: None, sink: SmtpSink) -> None:
    sink.mode = "drop-at-quit"
    assert after_send(queued(ONCE)).state == "sent"
    assert len(sink.received) == 1


def test_a_slow_server_is_waited_for(db: None, sink: SmtpSink) -> None:
    sink.mode, sink.thinks_seconds = "slow", 0.5
    assert after_send(queued(ONCE)).state == "sent"


@pytest.mark.parametrize("mode", ["drop-after-data", "slow", "drop-in-data"])
def test_no_answer_after_the_letter_is_unknown_and_a_thank_you_stays_so(db: None, sink: SmtpSink, mode: str) -> None:
    sink.mode, sink.thinks_seconds = mode, 1.5
    message = after_send(queued(ONCE))
    assert (message.state, message.unanswered) == ("unknown", 1)
    Message.objects.update(next_try_at=timezone.now())
    sink.mode = "250"
    send_due_messages()
    assert after_send(message).state == "unknown"
    assert len(sink.received) == (0 if mode == "drop-in-data" else 1)


def test_no_answer_and_a_letter_somebody_must_get_goes_out_once_more(db: None, sink: SmtpSink) -> None:
    sink.mode = "drop-after-data"
    message = after_send(queued(AGAIN))
    assert (message.state, message.unanswered) == ("pending", 1)
    Message.objects.update(next_try_at=timezone.now())
    assert after_send(message).state == "unknown"
    Message.objects.update(next_try_at=timezone.now())
    assert after_send(message).state == "unknown"
    assert len(sink.received) == 2
    assert sink.received[0].message["Message-ID"] == sink.received[1].message["Message-ID"]


def test_a_second_try_that_is_answered_is_sent(db: None, sink: SmtpSink) -> None:
    sink.mode = "drop-after-data"
    message = after_send(queued(AGAIN))
    Message.objects.update(next_try_at=timezone.now())
    sink.mode = "250"
    assert after_send(message).state == "sent"


def test_gives_up_after_a_day_of_tries(db: None, sink: SmtpSink) -> None:
    sink.mode = "451"
    message, waited = queued(), timedelta()
    while message.state == "pending":
        before = timezone.now()
        after_send(message)
        waited += max(message.next_try_at - before, timedelta()) if message.state == "pending" else timedelta()
        Message.objects.update(next_try_at=timezone.now())
    assert message.state == "failed"
    assert timedelta(hours=22) < waited < timedelta(hours=25)


def test_a_letter_that_kills_every_sender_ends(db: None, sink: SmtpSink) -> None:
    message = queued(attempts=sending.TRIES)
    assert after_send(message).state == "failed"


def test_a_letter_that_cannot_be_rendered_stops_nobody_else(
    db: None, sink: SmtpSink, caplog: pytest.LogCaptureFixture
) -> None:
    broken = queued(number=1, context={**FACTS, "amount": "Olena gave something"})
    fine = queued(number=2)
    send_due_messages()
    broken.refresh_from_db()
    fine.refresh_from_db()
    assert (broken.state, fine.state) == ("pending", "sent")
    assert "Olena" not in caplog.text


def test_a_sweep_stops_when_the_server_is_away(db: None, sink: SmtpSink) -> None:
    sink.mode = "421"
    for number in range(5):
        queued(number=number)
    send_due_messages()
    assert sink.connections == 1
    sink.mode = "250"
    Message.objects.update(next_try_at=timezone.now())
    send_due_messages()
    assert len(sink.received) == 5


def test_many_senders_at_once_send_every_message_once(committed: None, sink: SmtpSink) -> None:
    messages = [queued(ONCE, number) for number in range(40)]
    start = threading.Barrier(6)

    def worker(number: int) -> None:
        start.wait()
        if number % 2:
            send_due_messages()
        else:
            for message in messages:
                send_message(message.pk)
        connections.close_all()

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(letter.recipient for letter in sink.received) == sorted(m.to_email for m in messages)
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}


def test_a_full_sweep_asks_for_another(db: None, sink: SmtpSink) -> None:
    for number in range(3):
        queued(number=number)
    assert sweep.send_due(limit=2) is True
    assert sweep.send_due(limit=2) is False
    assert len(sink.received) == 3


def test_no_address_in_the_log(db: None, sink: SmtpSink, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="hromada")
    for number, mode in enumerate(["250", "451", "550", "drop-after-data"]):
        sink.mode = mode
        after_send(queued(number=number))
    assert len(caplog.records) == 4
    assert "example.org" not in caplog.text
    assert "Olena" not in caplog.text
