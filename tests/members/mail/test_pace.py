"""The pace of sending: one line for all processes; without Redis, a slower line for each process."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from typing import Any

import pytest

from members import limits
from members.mail import pace


@pytest.fixture
def line() -> str:
    return f"test-{uuid.uuid4().hex}"


def test_two_hundred_places_are_as_far_apart_as_the_pace_says(line: str) -> None:
    places = [earliest_and_latest(line) for _ in range(200)]
    gaps = [latest - earliest for (earliest, _), (_, latest) in itertools.pairwise(places)]
    assert min(gaps) > 0.009
    assert places[-1][1] - places[0][0] >= 199 / 100 - 0.02


def earliest_and_latest(line: str) -> tuple[float, float]:
    """Take a place, a hundred a second; return the bounds of when it comes: taking it takes time, on a busy machine."""
    before = time.monotonic()
    waits = limits.place(line, 100)
    return before + waits, time.monotonic() + waits


def test_many_senders_share_one_line(line: str, settings: Any) -> None:
    settings.MAIL_PER_SECOND = 200
    began = time.monotonic()

    def sender() -> None:
        for _ in range(10):
            pace.wait(line)

    threads = [threading.Thread(target=sender) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert 49 / 200 - 0.01 <= time.monotonic() - began < 5


def test_who_waited_long_does_not_send_a_burst_afterwards(line: str) -> None:
    assert limits.place(line, 20) == pytest.approx(0, abs=0.02)
    time.sleep(0.2)
    assert limits.place(line, 20) == pytest.approx(0, abs=0.02)
    assert limits.place(line, 20) == pytest.approx(0.05, abs=0.02)


def test_without_redis_each_process_keeps_a_quarter_of_the_pace(line: str, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    limits.reset()
    try:
        first = limits.place(line, 100)
        others = [limits.place(line, 100) for _ in range(3)]
    finally:
        limits.reset()
    assert others == pytest.approx([first + 0.04 * number for number in (1, 2, 3)], abs=0.02)


def test_without_a_pace_nobody_waits(line: str, settings: Any) -> None:
    settings.MAIL_PER_SECOND = 0
    began = time.monotonic()
    for _ in range(100):
        pace.wait(line)
    assert time.monotonic() - began < 0.1
