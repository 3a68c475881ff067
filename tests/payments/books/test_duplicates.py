"""Gifts that look like duplicates: equal ones within an hour, and two of one checkout at any time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from payments.books import duplicates
from payments.models import Case
from tests import factories

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def noticed(**second: object) -> list[int]:
    """Make two gifts; return which of them the second one's case names, [] if it opens no case."""
    who = factories.supporter()
    ordinary = {"amount": 2500, "created_at": NOON}
    first = factories.payment(who, checkout=factories.checkout(who), **ordinary)
    values = {**ordinary, "checkout": factories.checkout(who), **second}
    if values["checkout"] == "the same":
        values["checkout"] = first.checkout
    later = factories.payment(who, **values)
    duplicates.check_payment(later)
    case = Case.objects.first()
    return [pk - first.pk for pk in case.facts["payments"]] if case else []


def test_equal_gifts_within_an_hour() -> None:
    assert noticed(created_at=NOON + timedelta(minutes=59)) == [0, 1]


def test_equal_gifts_further_apart_are_two_gifts() -> None:
    assert noticed(created_at=NOON + timedelta(minutes=61)) == []


def test_other_amounts_and_currencies_are_other_gifts() -> None:
    assert noticed(amount=2000) == []
    assert noticed(currency="USD") == []


def test_two_of_one_checkout_whenever_they_come_and_whatever_was_taken() -> None:
    assert noticed(checkout="the same", created_at=NOON + timedelta(days=9), amount=2400) == [0, 1]


def test_gifts_without_a_checkout_have_none_in_common() -> None:
    assert noticed(checkout=None, created_at=NOON + timedelta(days=9)) == []
    factories.payment(checkout=None)
    assert not Case.objects.exists()


def test_a_gift_that_failed_is_no_twin() -> None:
    who = factories.supporter()
    factories.payment(who, status="failed", created_at=NOON)
    duplicates.check_payment(factories.payment(who, created_at=NOON))
    assert not Case.objects.exists()
