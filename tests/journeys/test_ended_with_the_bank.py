"""A gift that ends while a payment of it is with the bank: the email says so, instead of "nothing more"."""

from __future__ import annotations

from datetime import timedelta

import pytest

from members import clock
from members.models import Message
from tests.journeys.agreed import all_is_well, booked, gift_id, words
from tests.journeys.test_near_a_renewal import dashboard
from tests.stage import Stage

pytestmark = pytest.mark.django_db


def test_the_end_names_the_debit_that_may_still_arrive(stage: Stage) -> None:
    stage.join("month", amount="10", iban="DE89370400440532013000")
    end = int((clock.now() + timedelta(days=2)).timestamp())
    dashboard(stage).v1.subscriptions.update(gift_id(), {"cancel_at": end})
    stage.settle_down()
    stage.sleep(3)
    told = Message.objects.get(kind="ended")
    assert "Your bank has had a payment of €10.00 in hand since" in words(told)
    assert "Nothing more will be charged" not in told.body_text + told.body_html
    stage.sleep(4)
    assert booked() == [1000]
    all_is_well(stage)


def test_an_end_with_nothing_under_way_says_that_nothing_more_is_charged(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.cancel(gift_id(), at_period_end=True)
    stage.settle_down()
    stage.sleep(33)
    assert "Nothing more will be charged." in words(Message.objects.get(kind="ended"))
    assert booked() == [1000]
