"""The order in which due emails are claimed, and emails that are too late to be sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from members.mail import sending
from members.models import Message
from tests import factories

pytestmark = pytest.mark.django_db


def due_message(minutes_ago: int, **values: object) -> Message:
    due = timezone.now() - timedelta(minutes=minutes_ago)
    return factories.message(state="pending", next_try_at=due, **values)


def test_what_somebody_waits_for_first_then_service_then_staff_then_the_rest() -> None:
    last = due_message(90, stream="relationship")
    third = due_message(60, stream="staff")
    second = due_message(30)
    later = due_message(10)
    first = due_message(1, is_urgent=True)
    found = [message.pk for _ in range(5) if (message := sending.claim())]
    assert found == [first.pk, second.pk, later.pk, third.pk, last.pk]
    assert sending.claim() is None


def test_what_came_too_late_is_not_sent_and_says_so() -> None:
    late = due_message(30, expires_at=timezone.now() - timedelta(minutes=1))
    fresh = due_message(20, expires_at=timezone.now() + timedelta(minutes=1))
    claimed = sending.claim()
    assert claimed == fresh
    late.refresh_from_db()
    assert (late.state, late.error) == ("canceled", "It came too late to be of use.")


def test_one_that_may_have_arrived_is_not_called_off() -> None:
    message = due_message(30, kind="cancelled", expires_at=timezone.now() - timedelta(minutes=1), unanswered=1)
    assert sending.claim() == message
