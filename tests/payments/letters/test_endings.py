"""Emails about a gift that stops or has ended: once per cause, and true for a gift that ends immediately."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from members import clock
from members.mail.rendering import render
from members.models import Supporter
from payments.letters import endings
from payments.models import SubscriptionChange
from tests import factories
from tests.payments.letters.gift_rows import agreed, renewal


@pytest.fixture
def olena(db: None) -> Supporter:
    return factories.supporter(name="Olena Kovalenko", email="olena@example.org")


def test_a_stop_is_confirmed_once_a_request(olena: Supporter) -> None:
    subscription = agreed(olena, cancel_at_period_end=True)
    subscription.membership = factories.membership(olena, paid_through=clock.today() + timedelta(days=30))
    change = SubscriptionChange.objects.create(subscription=subscription, kind="stop", surface="mail")
    message = endings.cancelled(subscription, change)
    assert endings.cancelled(subscription, change) is None
    assert message is not None
    assert message.key == f"cancelled:{change.public_id}"
    assert "You stay a patron until" in render(message).text


def test_a_stop_made_at_stripe_is_confirmed_once_a_day_of_it(olena: Supporter) -> None:
    subscription = agreed(olena, canceled_at=datetime(2026, 1, 5, 12, tzinfo=UTC))
    message = endings.cancelled(subscription, None)
    assert message is not None
    assert message.key == f"cancelled:{subscription.public_id}:2026-01-05"
    assert endings.cancelled(subscription, None) is None


def test_who_stops_at_once_is_not_told_to_stay_a_patron(olena: Supporter) -> None:
    subscription = agreed(olena, status="canceled")
    subscription.membership = factories.membership(olena, paid_through=clock.today() + timedelta(days=30))
    message = endings.cancelled(subscription, None)
    assert message is not None
    assert "stay a patron" not in render(message).text


def test_the_two_ways_of_ending(olena: Supporter) -> None:
    stopped, unpaid = agreed(olena), agreed(olena)
    for _number in range(2):
        renewal(unpaid)
    messages = [endings.ended(stopped), endings.ended_unpaid(unpaid)]
    texts = [" ".join(render(message).text.split()) for message in messages if message]
    assert "the time you paid for" in texts[0]
    assert "You owe nothing" not in texts[0]
    assert "You owe nothing" in texts[1]
    assert "You gave 2 times, €20.00 in all." in texts[1]
    assert (endings.ended(stopped), endings.ended_unpaid(unpaid)) == (None, None)
