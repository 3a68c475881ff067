"""Stripe refuses our key for minutes, or one permission is missing: nothing is lost, nothing counts as refused, and
everything goes on by itself once the key is right.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from members.models import Message
from payments.alerts import looks, watch
from payments.books import settlements
from payments.inbox import queue
from payments.management.commands import drain
from payments.models import Case, Difference, Payment, Refund, StripeEvent, Subscription, SubscriptionChange
from payments.reconciling import comparison, missed_events
from payments.reconciling.comparison import hourly
from payments.recurring import unanswered
from payments.stripe_api import client
from payments.stripe_api.event_types import HANDLED
from payments.webhooks import drain as webhooks
from tests.payments.reader_links import (
    fall_behind,
    stop_page,
)
from tests.payments.test_stripe_requests import DAY_AND_AN_HOUR, unanswered_refund, wait
from tests.stage import Stage

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["401", "403"])
def test_events_of_these_minutes_are_processed_when_the_key_is_right(stage: Stage, kind: str) -> None:
    stage.join("month", amount="10")
    stage.stripe.fail(kind, times=1000)
    stage.stripe.advance(days=33)
    for _ in range(12):  # more often than an error of an event's own may happen
        stage.bring()
        stage.work()
    assert Payment.objects.count() == 1
    assert not StripeEvent.objects.filter(state__in=("dead", "failed")).exists()
    facts = looks.key_refused()
    assert facts, "staff are alerted"
    assert ("rak_subscription_read" in facts["reason"]) == (kind == "403")
    stage.stripe.clear_faults()
    stage.settle_down()
    assert Payment.objects.filter(status="succeeded").count() == 2
    assert looks.key_refused() is None


@pytest.mark.parametrize("kind", ["401", "403"])
def test_a_stop_of_these_minutes_is_carried_out_when_the_key_is_right(stage: Stage, kind: str) -> None:
    stage.join("month", amount="10")
    stage.stripe.fail(kind, times=1000)
    answer = stage.client.post(stop_page(), {"do": "stop"})
    assert "refused" not in answer.content.decode()
    assert SubscriptionChange.objects.get().state == "requested"
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    assert SubscriptionChange.objects.get().state == "requested", "still waiting"
    facts = looks.key_refused()
    assert facts, "staff are alerted although no event waits"
    assert ("rak_subscription_read" in facts["reason"]) == (kind == "403")
    stage.stripe.clear_faults()
    unanswered.retry()
    stage.settle_down()
    assert SubscriptionChange.objects.get().state == "seen"
    assert looks.key_refused() is None
    assert Subscription.objects.get().is_stopping
    assert stage.subjects()[-1].startswith("Done")


@pytest.mark.parametrize("kind", ["401", "403"])
def test_fees_that_may_not_be_read_are_an_alert_and_come_by_themselves(stage: Stage, settings: Any, kind: str) -> None:
    settings.STAFF_ALERT_EMAILS = ["marta@newsroom.example"]
    stage.pay(stage.give("once", amount="25"))
    stage.bring()
    webhooks.until_nothing_is_due()
    stage.stripe.fail(kind, times=1000, path="/v1/balance_transactions")
    last = drain.settle(None)
    for _ in range(3):
        last = drain.settle(last)
        watch.judge()
    facts = looks.key_refused()
    assert facts
    assert ("rak_subscription_read" in facts["reason"]) == (kind == "403")
    letters = Message.objects.filter(kind="staff_alert", context__section="key-refused")
    assert letters.count() == 1, "once"
    hourly.run()
    assert looks.key_refused()
    stage.stripe.clear_faults()
    drain.settle(last)
    hourly.run()
    assert not settlements.unsettled().exists()
    assert looks.key_refused() is None


def test_an_immediate_stop_whose_answer_was_lost_is_a_stop(stage: Stage) -> None:
    fall_behind(stage)
    stage.stripe.fail("commit_then_drop", times=1, method="DELETE")
    stage.client.post(stop_page(), {"do": "stop"})
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    assert SubscriptionChange.objects.get().state == "seen"
    assert not Subscription.objects.get().is_alive
    assert [subject for subject in stage.subjects() if subject.startswith("Done")] == [stage.subjects()[-1]]


def test_with_a_test_key_nothing_dies_and_nothing_is_called_missing(stage: Stage) -> None:
    """With a key of the other mode Stripe answers 404 to everything that we know."""
    stage.join("month", amount="10")
    StripeEvent.objects.update(is_livemode=True)
    gift = Subscription.objects.get()
    stage.stripe.fail("404", times=1000)
    queue.request_sync("subscription", gift.stripe_subscription_id, gift.stripe_customer_id)
    for _ in range(12):
        stage.work()
    event = StripeEvent.objects.get(type="sync.subscription", processed_at=None)
    assert event.state == "pending"
    assert "test key" in event.error
    facts = looks.key_refused()
    assert facts
    assert "test key" in facts["reason"]
    assert stage.client.post(stop_page(), {"do": "stop"}).status_code == 503
    assert SubscriptionChange.objects.get().state == "requested"
    for run in (comparison.run(), missed_events.collect()):
        assert run is not None
        assert run.error.startswith("KeyRefused")
    assert not Difference.objects.exists()
    StripeEvent.objects.update(is_livemode=False)
    stage.stripe.clear_faults()
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    assert Subscription.objects.get().is_stopping
    assert not StripeEvent.objects.exclude(state__in=("processed", "ignored")).exists()


def test_with_a_key_of_another_account_nothing_is_called_missing(stage: Stage, settings: Any) -> None:
    stage.join("month", amount="10")
    settings.STRIPE_ACCOUNT = "acct_ours"
    stage.stripe.fail("404", times=1000, path="/v1/(subscriptions|customers)")
    assert stage.client.post(stop_page(), {"do": "lower", "amount": "500"}).status_code == 503
    assert stage.client.post(stop_page(), {"do": "stop"}).status_code == 503
    rows = SubscriptionChange.objects.order_by("pk")
    assert [(row.kind, row.state, "acct_ours" in row.error) for row in rows] == [
        ("amount", "overtaken", True),
        ("stop", "requested", True),
    ]


def test_an_event_taken_for_foreign_goes_on_by_itself_when_the_key_is_right(stage: Stage, settings: Any) -> None:
    right = settings.STRIPE_SECRET_KEY
    stage.pay(stage.give("once", amount="25"))
    settings.STRIPE_SECRET_KEY = "sk_live_of_the_wrong_mode"
    stage.bring()
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {"foreign"}
    settings.STRIPE_SECRET_KEY = right
    missed_events.collect()
    stage.settle_down()
    assert Payment.objects.get().amount == 2500
    assert not StripeEvent.objects.filter(state="foreign", type__in=HANDLED).exists()


def test_an_event_that_died_is_tried_once_when_stripe_lists_it(stage: Stage) -> None:
    stage.pay(stage.give("once", amount="25"))
    stage.bring()
    handled = StripeEvent.objects.filter(state="pending")
    ids = list(handled.values_list("pk", flat=True))
    handled.update(state="dead", failures=8, error="ValueError: a fault mended since")
    missed_events.collect()
    assert set(StripeEvent.objects.filter(pk__in=ids).values_list("state", "failures")) == {("failed", 7)}
    assert looks.events_dead(), "staff stay alerted until it is processed"
    stage.settle_down()
    assert Payment.objects.get().amount == 2500
    assert looks.events_dead() is None


def test_an_event_that_died_long_ago_is_tried_once_a_day(stage: Stage) -> None:
    stage.join("once", amount="25")
    for _ in range(2):
        missed_events.collect()
        wait(stage, timedelta(hours=3))
    StripeEvent.objects.update(state="dead", failures=8, next_try_at=timezone.now() - timedelta(hours=23))
    missed_events.collect()
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {"dead"}, "Stripe lists them no more"
    StripeEvent.objects.update(next_try_at=timezone.now() - timedelta(hours=25))
    missed_events.collect()
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {"failed"}


def test_a_key_that_was_sent_with_other_parameters_waits_and_alerts(stage: Stage) -> None:
    request = unanswered_refund(stage, "drop")
    other = {**request.stripe_params, "amount": 100, "metadata": {}}
    client.create_refund(other, key=request.idempotency_key)
    wait(stage, timedelta(minutes=3))
    assert unanswered.retry() == 0
    request.refresh_from_db()
    assert (request.state, request.error) == (
        "requested",
        "Stripe knows this key with other parameters: IdempotencyError",
    )
    assert looks.requests_unanswered() == {"count": 1}, "staff are alerted at once"
    assert not Case.objects.filter(kind="request_refused").exists()
    wait(stage, DAY_AND_AN_HOUR)
    unanswered.retry()
    stage.settle_down()
    request.refresh_from_db()
    assert (request.state, request.error, request.generation) == ("seen", "", 2)
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [100, 1000]
