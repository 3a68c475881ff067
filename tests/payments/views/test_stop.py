"""The page behind the stop link: the stop button, the other offers next to it, and undoing each."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from members import clock
from members.models import Message
from payments.models import (
    Case,
    Payment,
    RefundRequest,
    StripeEvent,
    Subscription,
    SubscriptionChange,
)
from payments.recurring import changes
from payments.templatetags.money import day
from tests import colleagues, factories
from tests.payments.reader_links import (
    at_stripe,
    press,
    state_of,
    stop_page,
)
from tests.payments.reconciling.setting import forget
from tests.payments.test_stripe_requests import writes
from tests.stage import Stage

pytestmark = pytest.mark.django_db


# The page


def test_fifty_looks_change_nothing(stage: Stage) -> None:
    stage.join("month", amount="10")
    before = (StripeEvent.objects.count(), Message.objects.count(), len(stage.stripe.requests))
    for _ in range(50):
        body = stage.client.get(stop_page()).content.decode()
    assert state_of(body.encode()) == "ask"
    assert (StripeEvent.objects.count(), Message.objects.count(), len(stage.stripe.requests)) == before
    assert not SubscriptionChange.objects.exists()


def test_the_end_comes_first_and_the_rest_stands_beside_it(stage: Stage) -> None:
    stage.join("month", amount="10")
    body = stage.client.get(stop_page()).content.decode()
    buttons = re.findall(r"<button[^>]*>([^<]+)</button>", body)
    assert buttons == ["Stop my support", "Pause for 3 months", "Lower to €5 a month"]
    sizes = re.findall(r'<button class="([^"]+)"', body)
    assert [size.replace(" plain", "") for size in sizes] == ["button wide"] * 3, "all of one size"
    assert 'id="pause"' in body
    assert 'id="lower"' in body


def test_it_says_how_long_somebody_was_there(stage: Stage) -> None:
    stage.join("month", amount="10")
    assert "You have supported us" not in stage.client.get(stop_page()).content.decode()
    Subscription.objects.update(started_at=clock.now() - timedelta(days=430))
    assert "You have supported us for 14 months." in stage.client.get(stop_page()).content.decode()
    assert "Thank you for 14 months." in stage.client.post(stop_page()).content.decode()


# Stopping and keeping


@pytest.mark.parametrize("fields", [{}, {"do": "stop"}, {"do": "nonsense"}, {"do": "stop", "reason": "x" * 99}])
def test_a_form_of_yesterday_stops_too(stage: Stage, fields: dict[str, str]) -> None:
    stage.join("month", amount="10")
    assert state_of(stage.client.post(stop_page(), fields).content) == "done"
    stage.settle_down()
    assert at_stripe()["stopping"]
    assert state_of(stage.client.get(stop_page()).content) == "done"


def test_who_stops_one_of_two_reads_that_the_other_goes_on(stage: Stage) -> None:
    stage.join("month", amount="10")
    page = stop_page()
    stage.join("year", amount="100", form_key="besides")
    answer = stage.client.post(page).content.decode()
    assert "Done. Nothing more will be charged for this gift." in answer
    assert "Your other gift goes on." in answer


def test_a_stop_is_undone_until_the_period_ends(stage: Stage) -> None:
    stage.join("month", amount="10")
    assert press(stage, "stop") == "done"
    body = stage.client.get(stop_page()).content.decode()
    assert "Keep my support after all" in body, "before any event arrives"
    assert press(stage, "keep") == "kept"
    stage.settle_down()
    assert not at_stripe()["stopping"]
    assert not Message.objects.filter(kind="cancelled").exists(), "it never stopped, so no letter says so"
    assert press(stage, "stop") == "done"
    stage.settle_down()
    assert at_stripe()["stopping"]
    assert press(stage, "keep") == "kept"
    stage.settle_down()
    assert press(stage, "keep") == "kept", "twice is once"
    stage.sleep(40)
    assert Payment.objects.filter(status="succeeded").count() == 2
    assert not RefundRequest.objects.exists(), "who keeps it is charged, and nothing goes back"
    states = list(SubscriptionChange.objects.order_by("pk").values_list("kind", "state"))
    assert states == [("stop", "overtaken"), ("keep", "seen"), ("stop", "seen"), ("keep", "seen")]


def test_what_is_over_offers_to_begin_again(stage: Stage) -> None:
    stage.join("month", amount="10", card="4000000000000341")
    stage.sleep(33)
    assert press(stage, "stop") == "done"
    body = stage.client.get(stop_page()).content.decode()
    assert "Keep my support" not in body
    assert 'href="/support/?frequency=month&amp;amount=10&amp;currency=EUR&amp;again=' in body
    stage.settle_down()
    for do in ("keep", "pause", "lower", "stop"):
        assert press(stage, do) == "done"
    stage.settle_down()
    assert at_stripe()["status"] == "canceled"


# Pausing


def test_a_pause_takes_nothing_for_three_months_and_ends_by_itself(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.advance(3)
    assert press(stage, "pause") == "paused"
    assert press(stage, "pause") == "paused", "a second press is the same pause"
    words = f"Paused until {day(clock.day_of(changes.resumes_at()))}."
    assert words in stage.client.get(stop_page()).content.decode(), "before any event arrives"
    stage.settle_down()
    row = Subscription.objects.get()
    assert row.collection_paused
    assert row.resumes_at == changes.resumes_at()
    assert len(writes(stage, "/v1/subscriptions")) == 1
    body = stage.client.get(stop_page()).content.decode()
    assert state_of(body.encode()) == "paused"
    assert "End the pause now" in body
    stage.sleep(88)
    assert Payment.objects.filter(status="succeeded").count() == 1
    stage.sleep(36)
    assert Payment.objects.filter(status="succeeded").count() == 2
    assert not Subscription.objects.get().collection_paused
    assert stage.books()["broken"] == []


def test_a_pause_can_be_ended_early(stage: Stage) -> None:
    stage.join("month", amount="10")
    assert press(stage, "pause") == "paused"
    assert press(stage, "keep") == "kept"
    stage.settle_down()
    assert not at_stripe()["paused"]
    stage.sleep(33)
    assert Payment.objects.filter(status="succeeded").count() == 2


@pytest.mark.parametrize("is_known", [True, False])
def test_who_stops_during_a_pause_is_promised_the_pause_and_no_payment(stage: Stage, is_known: bool) -> None:
    stage.join("month", amount="10")
    press(stage, "pause")
    if is_known:
        stage.settle_down()
    body = stage.client.post(stop_page(), {"do": "stop"}).content.decode()
    renews_on = day(Subscription.objects.get().renews_on)
    assert f">Until {renews_on}. Your gift is then paused as before.<" in body
    assert press(stage, "keep") == "paused"
    stage.settle_down()
    assert at_stripe() == {"stopping": False, "paused": True, "amount": 1000, "status": "active"}


def test_no_pause_for_a_year_or_for_what_is_behind(stage: Stage) -> None:
    stage.join("year", amount="100")
    body = stage.client.get(stop_page()).content.decode()
    assert "Pause" not in body
    assert "Lower to €50 a year" in body
    assert press(stage, "pause") == "ask"
    stage.settle_down()
    assert not at_stripe()["paused"]


# Giving less


def test_a_lower_amount_counts_from_the_next_payment_and_lowers_once(stage: Stage) -> None:
    stage.join("month", amount="10")
    for _ in range(3):
        assert press(stage, "lower", amount="500") == "lowered"
    stage.settle_down()
    assert press(stage, "lower", amount="500") == "lowered"
    assert at_stripe()["amount"] == 500
    assert len(writes(stage, "/v1/subscriptions")) == 1
    assert Payment.objects.count() == 1, "nothing is charged or sent back now"
    stage.sleep(33)
    assert list(Payment.objects.order_by("pk").values_list("amount", flat=True)) == [1000, 500]
    assert not Case.objects.exists(), "what was agreed was taken"


@pytest.mark.parametrize("fault", ["archived", "deleted"])
def test_a_lower_amount_gets_a_product_of_its_own_where_stripe_refuses_the_one_of_checkout(
    stage: Stage, fault: str
) -> None:
    stage.join("month", amount="10")
    gift = stage.stripe.get(Subscription.objects.get().stripe_subscription_id)
    product = gift["items"]["data"][0]["price"]["product"]
    if fault == "deleted":
        forget(stage, product)
    else:
        stage.stripe.fail("400", code="product_inactive", path="/v1/subscriptions/", method="POST")
    assert press(stage, "lower", amount="500") == "lowered"
    stage.settle_down()
    assert at_stripe()["amount"] == 500
    price = stage.stripe.get(gift["id"])["items"]["data"][0]["price"]
    assert (price["unit_amount"], price["product"] != product) == (500, True)
    assert [each.params["name"] for each in writes(stage, "/v1/products")] == ["Support for The Dnipro Courier"]
    assert not Case.objects.exists()


@pytest.mark.parametrize("amount", ["0", "199", "1000", "1001", "999999999999999", "-5", "x", "٥٠٠"])
def test_no_other_amount_gets_through(stage: Stage, amount: str) -> None:
    stage.join("month", amount="10")
    press(stage, "lower", amount=amount)
    stage.settle_down()
    assert at_stripe()["amount"] in (1000, 500), "a number that is none means what the page offers"
    if amount.isascii() and amount.isdigit() and len(amount) < 15:
        assert at_stripe()["amount"] == 1000


@pytest.mark.parametrize(
    ("currency", "amount", "offered"),
    [("EUR", 5000, 2000), ("EUR", 500, 200), ("EUR", 200, None), ("JPY", 1500, 700), ("EUR", 9999, 5000)],
)
def test_one_sensible_lower_amount(currency: str, amount: int, offered: int | None) -> None:
    row = factories.subscription(currency=currency, amount=amount)
    assert changes.lower_amount(row) == offered
    row.currency = "XTS"
    assert changes.lower_amount(row) is None


def test_an_old_amount_that_comes_late_is_no_surprise(stage: Stage) -> None:
    stage.join("month", amount="10", card="4000000000000341")
    stage.sleep(33)
    assert press(stage, "lower", amount="500") == "lowered"
    stage.settle_down()
    stage.stripe.set_payment_method(Subscription.objects.get().stripe_customer_id, "4242424242424242")
    stage.settle_down()
    assert Payment.objects.filter(status="succeeded", amount=1000).count() == 2
    assert not Case.objects.filter(kind="amount_mismatch").exists()


# Only meant once


def test_who_only_meant_to_give_once_is_shown_to_staff_with_a_refund_at_hand(stage: Stage) -> None:
    stage.join("month", amount="10")
    for _ in range(2):
        press(stage, "stop", reason="once", words="I did not see the word monthly.")
    case = Case.objects.get()
    assert (case.kind, case.facts["payments"]) == ("meant_once", [Payment.objects.get().pk])
    stage.settle_down()
    desk = Client()
    colleagues.sign_in(desk)
    page = desk.get(f"/admin/payments/case/{case.pk}/change/", follow=True).content.decode()
    assert "Refund the last payment" in page
    act = f"/admin/payments/case/{case.pk}/refund-unmeant/"
    answers = {"which": str(Payment.objects.get().pk), "sentence": ""}
    confirm = desk.post(act, answers).content.decode()
    request_id = re.search(r'name="request_id" value="([^"]+)"', confirm)
    assert request_id
    desk.post(act, {**answers, "request_id": request_id[1]})
    stage.settle_down()
    assert Payment.objects.get().is_fully_refunded
    assert RefundRequest.objects.get().reason == "requested_by_customer"


def test_a_payment_of_long_ago_is_no_case(stage: Stage) -> None:
    stage.join("month", amount="10")
    Payment.objects.update(paid_at=clock.now() - timedelta(days=61))
    press(stage, "stop", reason="once")
    assert not Case.objects.exists()
