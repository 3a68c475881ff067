"""Senders killed with `kill -9` at random, many times: no thank-you is sent twice, and staff see every lost one."""

from __future__ import annotations

import os
import random
import signal
import time
import warnings
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from members.mail import sweep
from members.mail.headers import message_id
from members.models import Message
from tests.members.mail.test_sending import AGAIN, ONCE, queued
from tests.smtp_sink import SmtpSink

EACH, KILLS, SENDERS = 30, 20, 3


def sender() -> int:
    """Fork a process that keeps sending, like a worker; return its process id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the sink's thread means nothing to a sender
        child = os.fork()
    if child:
        return child
    try:
        while True:
            sweep.send_due()
            time.sleep(0.005)
    finally:
        os._exit(1)


def end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def wait_for_the_next_letter(sink: SmtpSink) -> None:
    """Wait until the mail server has received another email, two seconds at most."""
    known, until = len(sink.received), time.monotonic() + 2
    while len(sink.received) == known and time.monotonic() < until:
        time.sleep(0.002)


def leases_run_out() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Message.objects.filter(state="sending").update(lease_until=past)
    Message.objects.filter(state="pending").update(next_try_at=past)


@pytest.mark.processes
def test_a_storm_of_kills(committed: None, settings: Any) -> None:
    dice = random.Random(7)
    messages = [queued(kind, number) for number in range(EACH) for kind in (ONCE, AGAIN)]
    with SmtpSink(mode="slow", thinks_seconds=0.15) as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        connections.close_all()  # no process may use another's connection
        children = [sender() for _ in range(SENDERS)]
        for _ in range(KILLS):
            wait_for_the_next_letter(sink)
            time.sleep(dice.uniform(0, 0.1))
            end(children.pop(0))
            children.append(sender())
        for child in children:
            end(child)
        sink.mode = "250"
        while Message.objects.filter(state__in=["pending", "sending"]).exists():
            leases_run_out()
            sweep.send_due()
    check(messages, Counter(letter.message["Message-ID"] for letter in sink.received))


def check(messages: list[Message], arrived: Counter[str]) -> None:
    """Check that no thank-you arrived twice, that one that did not arrive is `unknown`, and that no notice was lost."""
    for message in messages:
        message.refresh_from_db()
    thanks, notices = ([each for each in messages if each.kind == kind] for kind in (ONCE, AGAIN))
    assert {each.state for each in messages} <= {"sent", "unknown"}
    copies = {each.pk: arrived[message_id(each.key)] for each in messages}
    assert sum(copies[each.pk] > 1 for each in thanks) == 0, "a thank-you came twice"
    assert sum(copies[each.pk] == 0 and each.state == "sent" for each in messages) == 0, "sent, and never arrived"
    assert sum(copies[each.pk] == 0 for each in notices) == 0, "a notice was lost"
    assert max(copies[each.pk] for each in notices) <= 2
    assert sum(copies.values()) == arrived.total() >= len(messages) - sum(each.state == "unknown" for each in thanks)
    assert any(each.state == "unknown" or each.unanswered for each in messages), "the storm missed every hand-over"
