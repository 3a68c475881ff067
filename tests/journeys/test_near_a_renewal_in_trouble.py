"""Stops and pauses near a renewal as something goes wrong: money comes meanwhile, Stripe is silent, a process dies."""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Thread

import pytest

from members import clock
from payments.crash_points import trap
from payments.models import Case, Payment, RefundRequest, StripeEvent, SubscriptionChange, UnpaidInvoice
from payments.recurring import unanswered
from payments.templatetags.money import day
from tests.journeys.letters import kinds, words
from tests.journeys.test_near_a_renewal import NOTHING_MORE, in_the_hour, later, page, pressed, received
from tests.payments.reader_links import at_stripe, press, state_of
from tests.stage import Stage

pytestmark = pytest.mark.django_db

CHECKING = "still asking Stripe whether a payment is already under way"


def pays_once_it_is_open(stage: Stage, invoice: str) -> None:
    deadline = time.monotonic() + 20
    while stage.stripe.get(invoice)["status"] != "open" and time.monotonic() < deadline:
        time.sleep(0.01)
    stage.stripe.pay_invoice(invoice)


# Taken meanwhile


@pytest.mark.parametrize("do", ["stop", "pause"])
def test_money_that_came_while_we_were_voiding_is_named(stage: Stage, do: str) -> None:
    invoice = in_the_hour(stage)
    stage.stripe.fail("slow", path="/void$", method="POST", seconds=2.0)
    payer = Thread(target=pays_once_it_is_open, args=(stage, invoice))
    payer.start()
    answer = pressed(stage, do)
    payer.join()
    today = day(clock.today())
    expected = {
        "stop": f"A payment of €10.00 was taken on {today}, after you had asked us to stop. We'll send all of it back.",
        "pause": f"A payment of €10.00 was taken on {today}, just before this.",
    }[do]
    assert expected in answer
    stage.settle_down()
    assert expected in words({"stop": "cancelled", "pause": "paused"}[do])
    assert RefundRequest.objects.count() == (do == "stop")
    stage.move(timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    assert Payment.objects.latest("pk").is_fully_refunded == (do == "stop")
    assert stage.books()["broken"] == []


# Killed in between


@pytest.mark.parametrize("point", ["before-bills", "before-void"])
@pytest.mark.parametrize(("do", "kind"), [("stop", "cancelled"), ("pause", "paused")])
def test_a_worker_killed_before_the_invoice_is_voided(stage: Stage, do: str, kind: str, point: str) -> None:
    invoice = in_the_hour(stage)
    with trap(point):
        press(stage, do)
    stage.settle_down()
    shown, has_ended = at_stripe(), at_stripe()["status"] == "canceled"
    assert shown["paused"] or shown["stopping"] or has_ended, "Stripe has accepted and reported it"
    assert has_ended == (do == "stop" and point == "before-void"), "the end comes first: it can be repeated"
    assert kinds() == ["thanks_first_recurring"], "no email promises anything before the invoices were looked at"
    assert CHECKING in page(stage)
    assert NOTHING_MORE not in page(stage)
    stage.move(timedelta(minutes=3))
    unanswered.retry()
    assert stage.stripe.get(invoice)["status"] == "void"
    later(stage)
    assert kinds() == ["thanks_first_recurring", kind]
    assert CHECKING not in page(stage)
    assert received() == [1000]
    unanswered.retry()
    assert kinds() == ["thanks_first_recurring", kind]


def test_a_worker_killed_until_the_money_was_taken(stage: Stage) -> None:
    in_the_hour(stage)
    with trap("before-bills"):
        press(stage, "stop")
    later(stage)
    assert received() == [1000, 1000]
    unanswered.retry()
    stage.settle_down()
    stage.move(timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    assert Payment.objects.latest("pk").is_fully_refunded
    assert "You had asked us to stop before this payment was taken" in words("refund_done")
    assert sorted(kinds()[1:]) == ["cancelled", "receipt_recurring", "refund_done"]


@pytest.mark.parametrize("fault", ["500", "drop", "commit_then_drop", "403"])
@pytest.mark.parametrize("path", [r"/v1/invoices$", "/finalize$", "/void$"])
def test_stripe_silent_about_the_invoices(stage: Stage, path: str, fault: str) -> None:
    invoice = in_the_hour(stage)
    stage.stripe.fail(fault, times=2, path=path)
    answer = pressed(stage, "stop")
    assert state_of(answer.encode()) == "done"
    assert CHECKING in answer
    stage.settle_down()
    assert "cancelled" not in kinds()
    stage.stripe.clear_faults()
    stage.move(timedelta(minutes=2))
    unanswered.retry()
    stage.settle_down()
    assert stage.stripe.get(invoice)["status"] == "void"
    assert words("cancelled").startswith(f"Done. {NOTHING_MORE}.")
    later(stage)
    assert received() == [1000]


def test_staff_see_invoices_that_wait_for_an_hour(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.fail("500", times=99, path=r"/v1/invoices$")
    press(stage, "stop")
    stage.move(timedelta(hours=1, minutes=1))
    unanswered.retry()
    unanswered.retry()
    assert Case.objects.get().kind == "request_unanswered"


def test_a_stop_taken_back_meanwhile_voids_nothing(stage: Stage) -> None:
    in_the_hour(stage)
    with trap("before-bills"):
        press(stage, "stop")
    press(stage, "keep")
    stage.settle_down()
    unanswered.retry()
    assert not SubscriptionChange.objects.filter(has_bills_to_check=True, state__in=["accepted", "seen"]).exists()
    later(stage)
    assert received() == [1000, 1000]
    assert "cancelled" not in kinds()


def test_events_of_the_hour_twice_and_late(stage: Stage) -> None:
    in_the_hour(stage)
    drafts = stage.stripe.events("invoice.created")
    later(stage)
    for event in drafts * 2:
        stage.post(event)
    StripeEvent.objects.update(state="pending", next_try_at=clock.now())
    stage.settle_down()
    assert not UnpaidInvoice.objects.exists(), "an old event of a draft says nothing about today"
    assert received() == [1000, 1000]
