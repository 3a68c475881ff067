"""The daily jobs, seen from a clock that would rather pass over days on which they have nothing to do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from members.models import Message
from payments import daily
from tests import factories

DAY = date(2026, 3, 2)

pytestmark = pytest.mark.django_db


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def test_the_next_letter_is_found_and_not_sent() -> None:
    gift = factories.subscription(status="past_due")
    since = datetime(2026, 3, 2, 12, tzinfo=UTC)
    factories.payment(
        gift.supporter, subscription=gift, status="failed", failing_since=since, paid_at=None, frequency="month"
    )
    assert daily.first_day_with_letters(DAY, day(2)) is None
    assert [daily.first_day_with_letters(DAY, day(last)) for last in (3, 4, 6)] == [day(3)] * 3
    assert daily.first_day_with_letters(day(3), day(6)) == day(4)  # still due: nobody has sent it
    assert not Message.objects.exists()

    daily.run(day(3))
    assert Message.objects.get().kind == "payment_failed_2"
    assert daily.first_day_with_letters(day(3), day(6)) is None
    assert daily.first_day_with_letters(day(3), day(10)) == day(7)


def test_without_anybody_no_day_has_letters() -> None:
    assert daily.first_day_with_letters(DAY, day(400)) is None
