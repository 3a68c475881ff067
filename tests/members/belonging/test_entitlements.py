"""Entitlements: access today, the level and the last day follow from a person's memberships."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from members import clock
from members.belonging import entitlements
from members.belonging.entitlements import NOTHING, Entitlement
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today_is_25_january(settings) -> None:
    settings.DEBUG = True
    clock.move(datetime(2026, 1, 25, 12, tzinfo=UTC) - timezone.now())


def of_reader(email: str = "reader@example.org") -> Entitlement:
    return entitlements.of_email(email)


def test_nobody_is_entitled_to_nothing() -> None:
    assert of_reader() == NOTHING


def test_a_supporter_without_a_membership_looks_like_nobody() -> None:
    factories.supporter(email="reader@example.org")
    assert of_reader() == NOTHING


@pytest.mark.parametrize(
    ("paid_through", "ended_on", "expected"),
    [
        (date(2026, 1, 25), None, Entitlement(True, "patron", date(2026, 2, 8), "active")),
        (date(2026, 1, 24), None, Entitlement(True, "patron", date(2026, 2, 7), "grace")),
        (date(2026, 1, 11), None, Entitlement(True, "patron", date(2026, 1, 25), "grace")),
        (date(2026, 1, 10), None, Entitlement(False, None, None, "lapsed")),
        (date(2026, 1, 24), date(2026, 1, 25), Entitlement(False, None, None, "ended")),
        (date(2026, 1, 30), date(2026, 1, 31), Entitlement(True, "patron", date(2026, 1, 30), "active")),
    ],
)
def test_access_follows_from_the_dates(paid_through: date, ended_on: date | None, expected: Entitlement) -> None:
    who = factories.supporter(email="reader@example.org")
    factories.membership(who, paid_through=paid_through, ended_on=ended_on)
    assert of_reader() == expected


def test_an_address_is_the_same_however_it_is_written() -> None:
    factories.membership(factories.supporter(email="Reader@Example.org"), paid_through=date(2026, 2, 1))
    assert of_reader("  rEADER@example.ORG ").active


def test_of_several_memberships_the_best_one_counts() -> None:
    who = factories.supporter(email="reader@example.org")
    friend = factories.level("friend", rank=2)
    factories.membership(who, paid_through=date(2026, 12, 31))
    factories.membership(who, paid_through=date(2026, 2, 1), level=friend)
    factories.membership(who, starts_on=date(2026, 1, 1), paid_through=date(2026, 3, 1), level=friend)
    assert of_reader() == Entitlement(True, "friend", date(2026, 3, 15), "active")


def test_a_higher_level_that_is_over_does_not_hide_one_that_runs() -> None:
    who = factories.supporter(email="reader@example.org")
    factories.membership(who, paid_through=date(2025, 12, 1), level=factories.level("friend", rank=2))
    factories.membership(who, paid_through=date(2026, 1, 20))
    assert of_reader() == Entitlement(True, "patron", date(2026, 2, 3), "grace")


def test_of_those_that_are_over_the_latest_says_why() -> None:
    who = factories.supporter(email="reader@example.org")
    factories.membership(who, paid_through=date(2025, 6, 1), ended_on=date(2025, 6, 2))
    factories.membership(who, paid_through=date(2025, 12, 1))
    assert of_reader().reason == "lapsed"


def test_a_membership_that_has_not_begun_gives_nothing_yet() -> None:
    who = factories.supporter(email="reader@example.org")
    factories.membership(who, starts_on=date(2026, 1, 26), paid_through=date(2026, 2, 26))
    assert of_reader() == NOTHING


def test_known_and_unknown_take_the_same_single_query(django_assert_num_queries) -> None:
    factories.membership(factories.supporter(email="reader@example.org"), paid_through=date(2026, 2, 1))
    for email in ("reader@example.org", "nobody@example.org"):
        with django_assert_num_queries(1):
            of_reader(email)


def test_a_supporter_gets_the_same_answer_as_the_address() -> None:
    who = factories.supporter(email="reader@example.org")
    factories.membership(who, paid_through=date(2026, 2, 1))
    assert entitlements.of_supporter(who) == of_reader()
