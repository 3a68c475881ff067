"""What readers ask for while Stripe refuses our key: the page says that the fault is ours, staff are alerted with the
permission, and the request is kept and carried out once the key is right.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from payments.alerts import looks
from payments.models import Case, Subscription, SubscriptionChange
from payments.recurring import unanswered
from tests.payments.reader_links import (
    at_stripe,
    confirm_page,
    fall_behind,
    method_page,
    press,
    state_of,
    stop_page,
)
from tests.payments.test_stripe_requests import wait
from tests.stage import Stage

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["401", "403"])
@pytest.mark.parametrize(("do", "change"), [("lower", "amount"), ("pause", "pause"), ("keep", "keep")])
def test_any_wish_of_these_minutes_is_kept_and_carried_out(stage: Stage, kind: str, do: str, change: str) -> None:
    """A lower amount is put together from what Stripe has, so it is read first: it is kept all the same."""
    stage.join("month", amount="10")
    if do == "keep":
        press(stage, "pause")
        stage.settle_down()
    stage.stripe.fail(kind, times=1000)
    answer = stage.client.post(stop_page(), {"do": do, "amount": "500"})
    assert answer.status_code == 503
    assert state_of(answer.content) == "ours"
    assert "The fault is ours" in answer.content.decode()
    assert "not answering" not in answer.content.decode()
    facts = looks.key_refused()
    assert facts, "staff are alerted at once"
    assert ("rak_subscription_read" in facts["reason"]) == (kind == "403")
    wait(stage, timedelta(days=2))
    unanswered.retry()
    assert SubscriptionChange.objects.get(kind=change).state == "requested"
    stage.stripe.clear_faults()
    unanswered.retry()
    stage.settle_down()
    assert SubscriptionChange.objects.get(kind=change).state == "seen"
    expected = {"lower": (500, False), "pause": (1000, True), "keep": (1000, False)}[do]
    assert (at_stripe()["amount"], at_stripe()["paused"]) == expected
    assert looks.key_refused() is None


def test_a_lower_amount_that_stripe_refuses_to_prepare_is_a_case(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.fail("404", times=1, path="/v1/subscriptions/")
    answer = stage.client.post(stop_page(), {"do": "lower", "amount": "500"})
    assert (answer.status_code, state_of(answer.content)) == (502, "refused")
    assert Case.objects.get().kind == "request_refused"
    assert SubscriptionChange.objects.get().state == "failed"


def test_a_lower_amount_that_waited_never_raises_what_was_lowered_meanwhile(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.fail("403", times=1000)
    stage.client.post(stop_page(), {"do": "lower", "amount": "700"})
    stage.stripe.clear_faults()
    stage.stripe.set_price(Subscription.objects.get().stripe_subscription_id, 500, "month")
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    assert Subscription.objects.get().amount == 500
    assert SubscriptionChange.objects.get().state == "overtaken"


@pytest.mark.parametrize("kind", ["401", "403"])
def test_the_pages_of_card_and_bank_say_that_the_fault_is_ours(stage: Stage, kind: str) -> None:
    payment = fall_behind(stage)
    stage.stripe.fail(kind, times=1000)
    for page in (method_page(), confirm_page(payment)):
        answer = stage.client.post(page)
        assert (answer.status_code, state_of(answer.content)) == (503, "ours")
        assert "The fault is ours" in answer.content.decode()
        assert "not answering" not in answer.content.decode()
        facts = looks.key_refused()
        assert facts, "staff are alerted although nothing waits"
        assert ("rak_subscription_read" in facts["reason"]) == (kind == "403")
        stage.stripe.clear_faults()
        assert stage.client.post(page).status_code == 303
        assert looks.key_refused() is None
        stage.stripe.fail(kind, times=1000)


def test_bills_that_may_not_be_voided_are_an_alert_and_are_voided_by_themselves(stage: Stage) -> None:
    fall_behind(stage)
    stage.stripe.fail("403", times=1000, path="/v1/invoices")
    stage.client.post(stop_page(), {"do": "stop"})
    unanswered.retry()
    facts = looks.key_refused()
    assert facts
    assert "rak_" in facts["reason"]
    assert not Case.objects.filter(kind="request_refused").exists()
    wait(stage, timedelta(hours=2))
    unanswered.retry()
    assert "rak_" in str(Case.objects.get(kind="request_unanswered").facts["reason"])
    stage.stripe.clear_faults()
    unanswered.retry()
    stage.settle_down()
    assert {each["status"] for each in stage.stripe.world.store.all("invoice")} == {"paid", "void"}
    assert looks.key_refused() is None
