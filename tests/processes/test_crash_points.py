"""The drain dies at every point between claiming an event and having booked it; the next one leaves every gift once."""

from __future__ import annotations

import pytest
import requests

from payments.crash_points import AROUND_A_WRITE, IN_THE_DRAIN
from tests.processes.books import assert_booked_once
from tests.processes.reader import Reader, crowd
from tests.processes.theatre import Theatre

pytestmark = [pytest.mark.processes, pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")]


def payments(theatre: Theatre) -> int:
    return int(theatre.sql("SELECT count(*) FROM payments_payment")[0][0])


@pytest.mark.parametrize("point", IN_THE_DRAIN)
def test_the_drain_dies_there_and_every_gift_is_booked_once(theatre: Theatre, point: str) -> None:
    before, letters = theatre.books(), len(theatre.letters())
    theatre.kill("drain")
    theatre.control("hold")
    crowd(theatre, 4)
    crowd(theatre, 2, frequency="month")
    booked, worked = payments(theatre), theatre.events()["processed"]
    theatre.start("drain", CRASH_AT=point)
    theatre.control("release")
    theatre.until("the drain dies where it was told to", lambda: theatre.programs.exit_code("drain") == 137)
    if point == "after-commit":
        assert theatre.events()["processed"] > worked
    else:
        assert payments(theatre) == booked, "all of a batch or nothing"
    theatre.leases_run_out()
    theatre.start("drain")
    assert_booked_once(theatre, before, letters, 6)
    assert theatre.books()["active_subscriptions"] == before["active_subscriptions"] + 2


@pytest.mark.parametrize("point", ["after-stripe-read", "after-ledger-insert", "before-commit"])
def test_the_drain_dies_there_and_what_went_back_is_booked_once(theatre: Theatre, point: str) -> None:
    """Two refunds and a dispute that was won, on gifts that were booked before."""
    gifts = crowd(theatre, 3)
    theatre.calm()
    before = theatre.books()["currencies"]["EUR"]
    theatre.kill("drain")
    theatre.control("hold")
    for gift, amount in zip(gifts[:2], (300, 1000), strict=True):
        theatre.control("refund", payment=gift.session, amount=amount)
    dispute = theatre.control("dispute", payment=gifts[2].session)
    theatre.control("close_dispute", dispute=dispute["id"], won=True)
    theatre.start("drain", CRASH_AT=point)
    theatre.control("release")
    theatre.until("the drain dies where it was told to", lambda: theatre.programs.exit_code("drain") == 137)
    theatre.leases_run_out()
    theatre.start("drain")
    theatre.calm()
    after = theatre.books()["currencies"]["EUR"]
    assert after["refunds"] - before["refunds"] == 1300
    assert (after["disputes"], after["gross"]) == (before["disputes"], before["gross"])
    of_disputes = "FROM payments_ledgerentry WHERE kind IN ('dispute', 'dispute_returned') GROUP BY kind"
    lines = theatre.sql(f"SELECT kind, count(*), sum(amount) {of_disputes}")
    assert len({(count, abs(total)) for _, count, total in lines}) == 1, "what was taken is what came back"


@pytest.mark.parametrize("point", AROUND_A_WRITE)
def test_the_website_dies_around_asking_for_a_session_and_the_form_is_sent_again(theatre: Theatre, point: str) -> None:
    """The row was committed with its key: the same form finds it, and the one session, whoever made it."""
    before, letters = theatre.books(), len(theatre.letters())
    reader = Reader(theatre)
    form = reader.details(frequency="month")
    theatre.restart("web", CRASH_AT=point)
    with pytest.raises(requests.ConnectionError):
        reader.submit(form)
    if theatre.programs.is_running("web"):
        theatre.kill("web")
    theatre.start("web")
    theatre.until("the website is back", theatre.is_ready)
    gift = reader.gift_at(reader.submit(form))
    theatre.control("release")
    reader.pay_at_the_page(gift)
    assert_booked_once(theatre, before, letters, 1)
    assert theatre.books()["active_subscriptions"] == before["active_subscriptions"] + 1


def test_the_door_dies_between_storing_and_answering(theatre: Theatre) -> None:
    """Stripe has no answer and sends again: the event is known."""
    before, letters = theatre.books(), len(theatre.letters())
    theatre.control("hold")
    crowd(theatre, 2)
    stored = theatre.events_stored()
    theatre.restart("web", CRASH_AT="before-answer")
    waiting = [event["id"] for event in theatre.ask("outbox")["events"]]
    assert theatre.control("deliver", events=waiting[:1])["result"] == [0]
    assert len(theatre.events_stored()) == len(stored) + 1
    if theatre.programs.is_running("web"):
        theatre.kill("web")
    theatre.start("web")
    theatre.until("the website is back", theatre.is_ready)
    theatre.control("release")
    assert_booked_once(theatre, before, letters, 2)
