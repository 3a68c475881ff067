"""Stripe refuses our key for minutes, or one permission is missing: nothing is lost, nothing counts as refused, and
everything goes on by itself once the key is right.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from payments.alerts import looks
from payments.models import Payment, StripeEvent, Subscription, SubscriptionChange
from payments.recurring import unanswered
from tests.payments.reader_links import fall_behind, stop_page
from tests.payments.test_stripe_requests import wait
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
    stage.stripe.clear_faults()
    unanswered.retry()
    stage.settle_down()
    assert SubscriptionChange.objects.get().state == "seen"
    assert Subscription.objects.get().is_stopping
    assert stage.subjects()[-1].startswith("Done")


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
