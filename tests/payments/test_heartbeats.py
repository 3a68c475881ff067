"""Signs of life: written at most every 20 seconds, never moved backwards, too old after three minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from payments import heartbeats, tasks
from payments.models import Heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch) -> None:
    monkeypatch.setattr(heartbeats, "_written_at", {})


def seconds_ago(seconds: float) -> timedelta:
    return timezone.now() - timedelta(seconds=seconds)


def test_who_was_never_heard_of_is_silent_and_who_beats_is_not() -> None:
    assert heartbeats.stale() == ["drain", "worker", "beat", "bulk"]
    heartbeats.beat("drain")
    assert heartbeats.stale() == ["worker", "beat", "bulk"]
    assert heartbeats.ages()["drain"] == pytest.approx(0, abs=2)


def test_silent_after_three_minutes_and_of_what_takes_long_after_half_an_hour() -> None:
    for name, age in (("drain", 175), ("worker", 185), ("bulk", 1795)):
        Heartbeat.objects.create(name=name, beaten_at=seconds_ago(age))
    heartbeats.beat("beat")
    assert heartbeats.stale() == ["worker"]
    Heartbeat.objects.filter(name="bulk").update(beaten_at=seconds_ago(1805))
    assert heartbeats.stale() == ["worker", "bulk"]


def test_a_busy_loop_writes_once_in_twenty_seconds(django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        for _ in range(1000):
            heartbeats.beat("drain")
    long_ago = heartbeats._written_at["drain"] - heartbeats.EVERY_SECONDS
    heartbeats._written_at["drain"] = long_ago
    with django_assert_num_queries(1):
        heartbeats.beat("drain")


def test_a_late_message_does_not_turn_the_time_back() -> None:
    Heartbeat.objects.create(name="beat", beaten_at=seconds_ago(5))
    heartbeats.beat("beat", seconds_ago(100))
    assert heartbeats.ages()["beat"] == pytest.approx(5, abs=2)


def test_the_task_tells_when_beat_sent_it_and_that_a_worker_ran_it(settings) -> None:
    """A task that waited in the queue for 40 seconds proves that a worker runs now, and beat ran 40 seconds ago."""
    expires = timezone.now() + timedelta(seconds=settings.HEARTBEAT_LIVES_SECONDS - 40)
    tasks.heartbeat.push_request(expires=expires.isoformat())
    try:
        tasks.heartbeat.run()
    finally:
        tasks.heartbeat.pop_request()
    assert heartbeats.ages()["worker"] == pytest.approx(0, abs=3)
    assert heartbeats.ages()["beat"] == pytest.approx(40, abs=3)


def test_by_hand_the_task_says_nothing_about_beat() -> None:
    tasks.heartbeat.apply()
    assert heartbeats.stale() == ["drain", "beat", "bulk"]
    tasks.bulk_heartbeat.apply()
    assert heartbeats.stale() == ["drain", "beat"]
