"""A gift that staff paused as a whole in the dashboard makes no invoices: no email names a day of its next payment."""

from __future__ import annotations

import pytest

from members.models import Message
from tests.journeys.agreed import gift_id
from tests.journeys.test_near_a_renewal import dashboard
from tests.stage import Stage

pytestmark = pytest.mark.django_db


def test_another_amount_of_a_gift_that_is_paused_as_a_whole_names_no_day(stage: Stage) -> None:
    stage.join("month", amount="10")
    how = {"type": "subscription", "bill_for": {"unused_time_from": {"type": "none"}}}
    dashboard(stage).v1.subscriptions.pause(gift_id(), how)
    stage.stripe.set_price(gift_id(), 500)
    stage.settle_down()
    told = Message.objects.get(kind="plan_changed")
    assert "nothing is charged until the pause ends" in told.body_text
    assert "next payment" not in told.body_text
