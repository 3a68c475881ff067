"""Change requests for a recurring gift: of two tabs the last one wins, none is lost, none is done twice."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import stripe
from django.db import connection
from django.test import Client

from payments.models import Case, Subscription, SubscriptionChange
from payments.recurring import changes, unanswered
from tests.payments.reader_links import at_stripe, press, state_of, stop_page
from tests.payments.test_stripe_requests import wait, writes
from tests.stage import KEY, Stage

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("requests", "wanted"),
    [
        (["pause", "stop"], {"stopping": True}),
        (["stop", "pause"], {"stopping": False, "paused": True}),
        (["lower", "stop"], {"stopping": True}),
        (["stop", "lower"], {"stopping": False, "amount": 500}),
        (["pause", "lower"], {"paused": True, "amount": 500}),
        (["stop", "keep", "stop"], {"stopping": True}),
        (["pause", "stop", "keep"], {"stopping": False, "paused": True}),
        (["pause", "keep", "pause"], {"stopping": False, "paused": True}),
    ],
)
@pytest.mark.parametrize("is_shown", [True, False])
def test_of_two_tabs_the_last_wish_wins(
    stage: Stage, requests: list[str], wanted: dict[str, object], is_shown: bool
) -> None:
    stage.join("month", amount="10")
    for do in requests:
        press(stage, do, **({"amount": "500"} if do == "lower" else {}))
        if is_shown:
            stage.settle_down()
    stage.settle_down()
    found = at_stripe()
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("fault", ["drop", "commit_then_drop"])
@pytest.mark.parametrize("do", ["pause", "lower", "keep"])
def test_a_wish_that_nobody_answered_is_kept_and_taken_up(stage: Stage, do: str, fault: str) -> None:
    stage.join("month", amount="10")
    if do == "keep":
        press(stage, "stop")
        stage.settle_down()
    stage.stripe.fail(fault, times=2, path="/v1/subscriptions/", method="POST")
    answer = stage.client.post(stop_page(), {"do": do, "amount": "500"})
    assert (answer.status_code, state_of(answer.content)) == (503, "unavailable")
    assert "<button" in answer.content.decode(), "the way stays open"
    stage.stripe.clear_faults()
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    shown = at_stripe()
    assert {"pause": shown["paused"], "lower": shown["amount"] == 500, "keep": not shown["stopping"]}[do]
    assert SubscriptionChange.objects.get(kind={"lower": "amount"}.get(do, do)).state == "seen"


def test_a_later_wish_takes_the_place_of_one_that_waits(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.fail("drop", times=2, path="/v1/subscriptions/", method="POST")
    assert stage.client.post(stop_page(), {"do": "pause"}).status_code == 503
    stage.stripe.clear_faults()
    assert press(stage, "stop") == "done"
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    assert (at_stripe()["stopping"], at_stripe()["paused"]) == (True, False)
    assert SubscriptionChange.objects.get(kind="pause").state == "overtaken"


@pytest.mark.parametrize("is_shown", [True, False])
@pytest.mark.parametrize(
    ("waits", "then", "wanted"),
    [
        (("lower", "1000"), ("lower", "500"), {"stopping": False, "amount": 500}),
        (("lower", "1000"), ("pause", ""), {"stopping": False, "paused": True, "amount": 1000}),
        (("pause", ""), ("keep", ""), {"stopping": False, "paused": False}),
    ],
)
def test_a_stop_that_a_waiting_wish_took_back_stays_taken_back(
    stage: Stage, waits: tuple[str, str], then: tuple[str, str], wanted: dict[str, object], is_shown: bool
) -> None:
    stage.join("month", amount="20")
    press(stage, "stop")
    if is_shown:
        stage.settle_down()
    stage.stripe.fail("drop", times=2, path="/v1/subscriptions/", method="POST")
    assert stage.client.post(stop_page(), {"do": waits[0], "amount": waits[1]}).status_code == 503
    stage.stripe.clear_faults()
    press(stage, then[0], amount=then[1])
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    found = at_stripe()
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("do", ["stop", "pause"])
def test_a_wish_undone_at_stripe_before_it_was_seen_can_be_asked_again(stage: Stage, do: str) -> None:
    """Otherwise the page would say for ever that the change is made, while Stripe continues to charge."""
    stage.join("month", amount="10")
    press(stage, do)
    undone: Any = {"cancel_at_period_end": False} if do == "stop" else {"pause_collection": ""}
    dashboard = stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url})
    dashboard.v1.subscriptions.update(Subscription.objects.get().stripe_subscription_id, undone)
    stage.settle_down()
    wait(stage, timedelta(minutes=12))
    unanswered.retry()
    assert SubscriptionChange.objects.get().state == "overtaken"
    assert changes.current_state(Subscription.objects.get()) == "going"
    press(stage, do)
    stage.settle_down()
    assert at_stripe()["stopping" if do == "stop" else "paused"] is True
    assert SubscriptionChange.objects.filter(state="seen").count() == 1


@pytest.mark.parametrize("do", ["stop", "pause", "lower"])
def test_what_stripe_refuses_is_said_with_a_way_on(stage: Stage, do: str) -> None:
    stage.join("month", amount="10")
    Subscription.objects.update(stripe_subscription_id="sub_unknown")
    answer = stage.client.post(stop_page(), {"do": do})
    assert (answer.status_code, state_of(answer.content)) == (502, "refused")
    assert "newsroom.invalid" in answer.content.decode()


def test_a_stop_that_stripe_refuses_is_a_case_with_its_code(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.fail("400", code="parameter_unknown", param="cancel_at_period_end", method="POST")
    for _ in range(2):
        assert stage.client.post(stop_page(), {"do": "stop"}).status_code in (502, 200)
    case = Case.objects.get()
    assert (case.kind, case.facts["reason"]) == ("request_refused", "parameter_unknown: cancel_at_period_end")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("do", ["pause", "lower"])
def test_many_presses_at_once_are_one_wish(stage: Stage, do: str) -> None:
    stage.join("month", amount="10")
    where, answers = stop_page(), []

    def one() -> None:
        answers.append(Client().post(where, {"do": do, "amount": "500"}).status_code)
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 5
    assert len(writes(stage, "/v1/subscriptions")) == 1
