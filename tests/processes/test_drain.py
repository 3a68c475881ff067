"""The drain dies, works beside a twin, or meets a Stripe that does not answer: all is booked, each gift once."""

from __future__ import annotations

import time

import pytest

from tests.processes.books import assert_booked_once, received
from tests.processes.reader import crowd
from tests.processes.theatre import Theatre

pytestmark = [pytest.mark.processes, pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")]


def test_killed_in_the_middle_of_a_burst(theatre: Theatre) -> None:
    before, letters = theatre.books(), len(theatre.letters())
    theatre.control("hold")
    crowd(theatre, 40)
    theatre.control("release")
    for share in (0.2, 0.5):
        done = theatre.events()["processed"]
        theatre.until(
            "some are worked", lambda done=done, share=share: theatre.events()["processed"] > done + 40 * share
        )
        theatre.kill("drain")
        theatre.leases_run_out()
        theatre.start("drain")
    assert theatre.waiting_events() or theatre.ask("clock")["pending"], "the drain was too quick to be killed at work"
    assert_booked_once(theatre, before, letters, 40)


def test_two_side_by_side_with_every_second_event_doubled(theatre: Theatre) -> None:
    before, letters = theatre.books(), len(theatre.letters())
    theatre.control("hold")
    theatre.control("chaos", duplicate=0.5, shuffle=1.0, two_ids=0.2, seed=7)
    crowd(theatre, 16)
    crowd(theatre, 12, frequency="month")
    theatre.start("drain", under="second drain")
    waiting = len(theatre.ask("outbox")["events"])
    assert waiting >= 200
    theatre.control("release")
    assert_booked_once(theatre, before, letters, 28)
    assert theatre.books()["active_subscriptions"] == before["active_subscriptions"] + 12
    theatre.kill("second drain")


def test_stripe_does_not_answer_for_a_while(theatre: Theatre) -> None:
    before, letters = theatre.books(), len(theatre.letters())
    theatre.control("hold")
    crowd(theatre, 8, frequency="month")
    theatre.control("fail", kind="slow", seconds=7, method="GET")
    for kind in ("500", "429", "drop"):
        theatre.control("fail", kind=kind, times=12, method="GET")
    theatre.control("fail", kind="500", times=100_000, method="GET")
    began = time.monotonic()
    theatre.control("release")
    theatre.until("Stripe has delivered everything", lambda: theatre.ask("clock")["pending"] == 0)
    theatre.until("each was tried", lambda: untried(theatre) == 0)
    assert theatre.events()["pending"] >= 8 * 3
    now = theatre.books()
    assert received(now) == received(before)
    assert (now["supporters"], now["active_subscriptions"]) == (before["supporters"], before["active_subscriptions"])
    assert len(theatre.letters()) == letters
    theatre.until("some were tried again by themselves", lambda: tried_again(theatre))
    theatre.control("clear_faults")
    if time.monotonic() - began > 10:
        theatre.the_next_try_comes()
    assert_booked_once(theatre, before, letters, 8)


def untried(theatre: Theatre) -> int:
    silent = "state = 'pending' AND error NOT LIKE 'Stripe did not answer%%' AND NOT is_sync"
    return int(theatre.sql(f"SELECT count(*) FROM payments_stripeevent WHERE {silent}")[0][0])  # noqa: S608


def tried_again(theatre: Theatre) -> int:
    query = "SELECT count(*) FROM payments_stripeevent WHERE state = 'pending' AND attempts > 1"
    return int(theatre.sql(query)[0][0])
