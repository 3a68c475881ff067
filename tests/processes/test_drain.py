"""The drain dies, works beside a twin, or meets a Stripe that does not answer: all is booked, each gift once."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.processes.reader import crowd
from tests.processes.theatre import Theatre

pytestmark = [pytest.mark.processes, pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")]


def received(books: dict[str, Any]) -> tuple[int, int]:
    """Payments in euros, and their sum in minor units."""
    row = books["currencies"].get("EUR", {"payments": 0, "gross": 0})
    return row["payments"], row["gross"]


def assert_booked_once(theatre: Theatre, before: dict[str, Any], letters: int, gifts: int, amount: int = 1000) -> None:
    """So many gifts more in the books, and so many letters more in the folder."""
    theatre.calm()
    books = theatre.books()
    payments, gross = received(before)
    assert received(books) == (payments + gifts, gross + gifts * amount)
    assert books["supporters"] == before["supporters"] + gifts
    assert set(books["operations"]["events"]) <= {"processed", "ignored"}
    assert len(theatre.letters()) == letters + gifts
    assert set(books["operations"]["messages"]) == {"sent"}


def test_killed_in_the_middle_of_a_burst(theatre: Theatre) -> None:
    before, letters = theatre.books(), len(theatre.letters())
    theatre.control("hold")
    crowd(theatre, 40)
    theatre.control("release")
    for share in (0.2, 0.5):
        done = theatre.events()["processed"]
        theatre.until("some are worked", lambda done=done, share=share: theatre.events()["processed"] > done + 40 * share)
        theatre.kill("drain")
        theatre.leases_run_out()
        theatre.start("drain")
    assert theatre.waiting_events() or theatre.ask("clock")["pending"], "the drain was too quick to be killed at work"
    assert_booked_once(theatre, before, letters, 40)
