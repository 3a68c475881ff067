"""Beat stops without dying: it is missed, named, and forgiven when it goes on."""

from __future__ import annotations

import os
import signal

import pytest
import requests

from tests.processes.theatre import Theatre

pytestmark = [pytest.mark.processes, pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")]


PROGRAMS = ["drain", "worker", "beat", "bulk"]


def heard(theatre: Theatre) -> dict[str, float]:
    """Seconds since each program was last heard of. Beside them stands when an event was last refused, if one was."""
    age = "SELECT name, extract(epoch FROM now() - beaten_at)::float FROM payments_heartbeat WHERE name = ANY(%s)"
    return dict(theatre.sql(age, PROGRAMS))


def readiness(theatre: Theatre) -> str:
    return str(requests.get(f"{theatre.site}/readyz", timeout=5).json()["checks"]["heartbeats"])


def half_an_hour_later(theatre: Theatre) -> bool:
    """As if it were; what a busy worker was still to say is as old then."""
    late = "UPDATE payments_heartbeat SET beaten_at = beaten_at - interval '31 minutes' WHERE name = ANY(%s)"
    theatre.sql(f"{late} AND beaten_at > now() - interval '30 minutes'", ["worker", "beat", "bulk"])
    return readiness(theatre) == "silent: worker, beat, bulk"


def test_beat_that_is_stopped_is_missed(theatre: Theatre) -> None:
    theatre.until("all are heard of", lambda: readiness(theatre) == "ok", 60)
    assert sorted(heard(theatre)) == sorted(PROGRAMS)
    assert all(-1 < age < 40 for age in heard(theatre).values()), heard(theatre)

    beat = theatre.programs.pid("beat")
    os.killpg(beat, signal.SIGSTOP)
    try:
        theatre.until("nothing of it is under way", lambda: heard(theatre)["beat"] > 22, 60)
        theatre.until("only the drain is heard", lambda: half_an_hour_later(theatre), 60)
        assert theatre.status("/readyz") == 200
    finally:
        os.killpg(beat, signal.SIGCONT)
    theatre.until("all are heard of again", lambda: readiness(theatre) == "ok", 60)
