"""Queueing an email: one row per key, in the transaction of its cause; a wake-up that never delays a request."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db import connection, connections, transaction
from kombu import pools

from members.mail import outbox
from members.models import Message
from tests import factories


def send(key: str = "cancelled:1", **values: Any) -> Message | None:
    ordinary: dict[str, Any] = {
        "to_email": "olena@example.org",
        "language": "uk",
        "context": {"amount": 1000},
        "supporter": None,
    }
    return outbox.send("cancelled", key=key, **{**ordinary, **values})


@pytest.fixture(autouse=True)
def _awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_quiet_until", 0.0)


def test_one_row_a_key(db: None) -> None:
    first = send()
    assert first is not None
    assert send(context={"amount": 2000}) is None
    row = Message.objects.get()
    assert (row.pk, row.key, row.state, row.language, row.context) == (
        first.pk,
        "cancelled:1",
        "pending",
        "uk",
        {"amount": 1000},
    )


def test_one_insert_is_all_it_takes(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        send()
    with django_assert_num_queries(1):
        send()


def test_rolls_back_with_its_cause(db: None) -> None:
    def cause() -> None:
        with transaction.atomic():
            send()
            raise LookupError

    with pytest.raises(LookupError):
        cause()
    assert not Message.objects.exists()


def test_the_transaction_goes_on_after_a_known_key(db: None) -> None:
    send()
    with transaction.atomic():
        send()
        factories.supporter(email="after@example.org")
    assert Message.objects.count() == 1


def test_the_same_key_from_many_transactions_at_once(committed: None) -> None:
    made: list[Message | None] = []
    start = threading.Barrier(4)

    def cause() -> None:
        start.wait()
        with transaction.atomic():
            made.append(send())
        connections.close_all()

    threads = [threading.Thread(target=cause) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len([message for message in made if message]) == 1
    assert Message.objects.count() == 1


def test_a_language_we_do_not_speak_becomes_the_sites_own(db: None) -> None:
    message = send(language="tlh")
    assert message is not None
    assert message.language == "en"


def test_facts_that_json_cannot_hold_are_refused_at_once(db: None) -> None:
    with pytest.raises(TypeError):
        send(context={"amount": object()})


def test_wakes_a_worker_after_the_commit_and_not_before(db: None, django_capture_on_commit_callbacks: Any) -> None:
    queue = redis.Redis.from_url(settings.REDIS_URL)
    queue.delete("celery")
    with django_capture_on_commit_callbacks(execute=True):
        message = send()
        assert message is not None
        assert queue.llen("celery") == 0
    call = json.loads(queue.lpop("celery"))
    assert call["headers"]["task"] == "members.tasks.send_message"
    assert json.loads(base64.b64decode(call["body"]))[0] == [message.pk]
    queue.close()


@pytest.fixture
def _no_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Point Celery's broker, for one test, to an address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(current_app.conf, "broker_url", f"redis://127.0.0.1:{taken.getsockname()[1]}/0")
        forget_pools()
        yield
    monkeypatch.undo()
    forget_pools()


def forget_pools() -> None:
    pools.reset()
    current_app._pool = current_app.amqp._producer_pool = None


@pytest.mark.usefixtures("_no_redis")
def test_without_redis_nothing_waits_and_nothing_is_lost(
    db: None, django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    began = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        for number in range(50):
            send(key=f"cancelled:{number}")
    assert time.monotonic() - began < 2
    assert Message.objects.due().count() == 50
    assert len([r for r in caplog.records if "Redis" in r.message]) == 1


@pytest.mark.usefixtures("_no_redis")
def test_tries_redis_again_after_a_while(db: None, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setattr(outbox, "QUIET_SECONDS", 0.0)
    outbox.wake(1)
    outbox.wake(1)
    assert len([r for r in caplog.records if "Redis" in r.message]) == 2


def test_resend_is_a_new_letter_under_a_key_of_its_own(db: None) -> None:
    who = factories.supporter(email="old@example.org")
    message = send(supporter=who)
    assert message is not None
    Message.objects.update(state="unknown")
    who.email = "new@example.org"
    who.save()
    message.refresh_from_db()
    again = outbox.resend(message)
    assert (again.key, again.to_email, again.state) == ("cancelled:1:again:1", "new@example.org", "pending")
    assert outbox.resend(message).pk == again.pk  # a second click while it waits
    Message.objects.filter(pk=again.pk).update(state="sent")
    again.refresh_from_db()
    assert outbox.resend(again).key == "cancelled:1:again:2"


def test_no_words_of_people_reach_the_log(
    db: None, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    caplog.set_level("DEBUG", logger="hromada")
    with django_capture_on_commit_callbacks(execute=True):
        send(context={"first_name": "Olena"})
    assert "olena" not in caplog.text.lower()


def test_the_inbox_of_what_is_due_stays_quick_when_much_was_sent(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Message.objects.due().order_by("next_try_at", "pk").explain()
    assert "message_due" in plan
