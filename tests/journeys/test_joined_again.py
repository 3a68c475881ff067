"""Somebody who stops a gift and then begins another one gives once, and is asked nothing."""

from __future__ import annotations

import pytest

from payments.models import Case, Subscription
from payments.recurring import changes
from tests.stage import Stage

pytestmark = pytest.mark.django_db


def test_a_gift_that_was_stopped_first_is_no_duplicate(stage: Stage) -> None:
    stage.join("month", amount="10")
    changes.request_stop(Subscription.objects.get(), "mail")
    stage.settle_down()
    stage.join("month", amount="20")
    assert Subscription.objects.count() == 2
    assert not Case.objects.exists()
    assert not [subject for subject in stage.subjects() if "two" in subject.lower()]


def test_a_stop_that_stripe_has_not_confirmed_counts_too(stage: Stage) -> None:
    stage.join("month", amount="10")
    changes.record_stop(Subscription.objects.get(), "mail")
    stage.join("month", amount="20")
    assert not Case.objects.exists()


def test_a_second_gift_that_continues_is_one(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.join("month", amount="20")
    assert Case.objects.get().kind == "duplicate_subscription"
