"""A missed renewal is noticed two days after its day, once per period, and only if one was due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from payments.models import Case, StripeEvent
from payments.reconciling import missed_renewals
from tests import factories

pytestmark = pytest.mark.django_db

DUE = date(2026, 1, 20)
NOON = datetime(2026, 1, 20, 12, tzinfo=UTC)
LATE = DUE + timedelta(days=3)


def test_noticed_after_two_whole_days_and_once() -> None:
    row = factories.subscription(renews_on=DUE)
    assert missed_renewals.find(DUE + timedelta(days=2)) == 0
    assert missed_renewals.find(LATE) == 1
    assert missed_renewals.find(LATE + timedelta(days=1)) == 0
    case = Case.objects.get()
    assert (case.kind, case.supporter, case.facts["subscription"]) == ("renewal_missed", row.supporter, row.pk)
    assert StripeEvent.objects.get(is_sync=True).object["id"] == row.stripe_subscription_id


def test_every_period_has_its_own_case() -> None:
    row = factories.subscription(renews_on=DUE)
    missed_renewals.find(LATE)
    row.renews_on = date(2026, 2, 20)
    row.save()
    assert missed_renewals.find(date(2026, 2, 23)) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"status": "canceled"},
        {"status": "paused"},
        {"collection_paused": True},
        {"cancel_at_period_end": True},
        {"cancel_at": NOON},
    ],
)
def test_where_none_is_owed(values: dict[str, Any]) -> None:
    factories.subscription(renews_on=DUE, **values)
    assert missed_renewals.find(LATE) == 0


@pytest.mark.parametrize(
    ("values", "missed"),
    [
        ({"status": "succeeded", "paid_through": date(2026, 2, 20), "created_at": NOON}, 0),
        ({"status": "failed", "created_at": NOON}, 0),
        ({"status": "processing", "created_at": NOON}, 0),
        ({"status": "succeeded", "paid_through": DUE, "created_at": NOON - timedelta(days=31)}, 1),
        ({"status": "failed", "created_at": NOON - timedelta(days=31)}, 1),
    ],
)
def test_a_payment_of_the_period(values: dict[str, Any], missed: int) -> None:
    row = factories.subscription(renews_on=DUE)
    factories.payment(row.supporter, subscription=row, frequency="month", **values)
    assert missed_renewals.find(LATE) == missed


def test_many_ask_once_each(django_assert_max_num_queries) -> None:
    for _ in range(5):
        factories.subscription(renews_on=DUE)
    missed_renewals.find(LATE)
    with django_assert_max_num_queries(6):
        assert missed_renewals.find(LATE) == 0
