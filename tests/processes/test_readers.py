"""Readers who come back too early, ten times at once, or send the same form again: one gift and one letter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.processes.books import assert_booked_once
from tests.processes.reader import Given, Reader
from tests.processes.theatre import Theatre

pytestmark = [pytest.mark.processes, pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")]
# Events that came to our door: beat may list others at any moment.
DELIVERED = "SELECT count(*) FROM payments_stripeevent WHERE NOT is_sync AND NOT is_listed"


def come_back_ten_times(theatre: Theatre, gift: Given) -> set[str]:
    with ThreadPoolExecutor(10) as pool:
        return set(pool.map(lambda _: Reader(theatre).come_back(gift), range(10)))


def sessions_asked_for(theatre: Theatre, email: str) -> list[dict[str, Any]]:
    """The requests for a Checkout Session for this address that reached Stripe."""
    asked = theatre.ask("requests")["requests"]
    of_sessions = [one for one in asked if (one["method"], one["path"]) == ("POST", "/v1/checkout/sessions")]
    return [one for one in of_sessions if one["params"].get("customer_email") == email]


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_the_return_page_before_and_after_the_events(theatre: Theatre, frequency: str) -> None:
    before, letters = theatre.books(), len(theatre.letters())
    reader = Reader(theatre)
    gift = reader.begin(frequency=frequency)
    assert come_back_ten_times(theatre, gift) == {"checking"}
    theatre.control("hold")
    assert reader.pay_at_the_page(gift) == gift.return_url
    assert come_back_ten_times(theatre, gift) <= {"checking", "paid"}
    theatre.control("release")
    theatre.until("it is paid", lambda: come_back_ten_times(theatre, gift) == {"paid"})
    assert_booked_once(theatre, before, letters, 1)


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_the_return_page_alone_when_no_event_ever_comes(theatre: Theatre, frequency: str) -> None:
    before, letters, delivered = theatre.books(), len(theatre.letters()), theatre.sql(DELIVERED)
    theatre.control("chaos", drop=1)
    reader = Reader(theatre)
    gift = reader.begin(frequency=frequency)
    assert reader.pay_at_the_page(gift) == gift.return_url
    theatre.until("it is paid", lambda: reader.come_back(gift) == "paid")
    assert_booked_once(theatre, before, letters, 1)
    assert theatre.sql(DELIVERED) == delivered
    assert theatre.books()["active_subscriptions"] == before["active_subscriptions"] + (frequency == "month")


def test_stripe_made_the_session_and_never_said_so(theatre: Theatre) -> None:
    before, letters = theatre.books(), len(theatre.letters())
    reader = Reader(theatre)
    form = reader.details(frequency="month")
    theatre.control("fail", kind="commit_then_timeout", path="checkout/sessions", method="POST", seconds=8)
    theatre.control("fail", kind="commit_then_drop", path="checkout/sessions", method="POST")
    answer = reader.submit(form)
    assert answer.status_code == 503
    assert f'value="{form["form_key"]}"' in answer.text
    assert form["email"] in answer.text

    again = [reader.submit(form) for _ in range(2)]
    assert [one.status_code for one in again] == [303, 303]
    assert again[0].headers["Location"] == again[1].headers["Location"]
    asked = sessions_asked_for(theatre, form["email"])
    assert len({one["idempotency_key"] for one in asked}) == 1
    assert {one["replayed"] for one in asked if one["status"] == 200} == {True}

    gift = reader.gift_at(again[0])
    reader.pay(gift)
    theatre.until("it is paid", lambda: reader.come_back(gift) == "paid")
    assert_booked_once(theatre, before, letters, 1)
    assert reader.submit(form).headers["Location"] == gift.return_url  # paid already: the same form leads to its state


def test_five_clicks_at_once(theatre: Theatre) -> None:
    before, letters = theatre.books(), len(theatre.letters())
    reader = Reader(theatre)
    form = reader.details()
    theatre.control("fail", kind="slow_work", path="checkout/sessions", method="POST", seconds=0.3)
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: reader.submit(form), range(5)))
    assert {answer.status_code for answer in answers} <= {303, 503}  # 503: the first click is still under way
    assert len({answer.headers["Location"] for answer in answers if answer.status_code == 303}) == 1
    asked = sessions_asked_for(theatre, form["email"])
    assert sum(one["status"] == 200 and not one["replayed"] for one in asked) == 1
    reader.pay(reader.gift_at(reader.submit(form)))
    assert_booked_once(theatre, before, letters, 1)
