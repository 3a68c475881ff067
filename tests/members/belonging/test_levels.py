"""The level that an amount earns."""

from __future__ import annotations

import pytest

from members.belonging import levels
from members.models import Level
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _three_levels() -> None:
    factories.level("friend", rank=2, amounts={"EUR": 1000, "UAH": 20000})
    factories.level("guardian", rank=3, amounts={"EUR": 5000})


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (999, "EUR", "patron"),
        (1000, "EUR", "friend"),
        (4999, "EUR", "friend"),
        (5000, "EUR", "guardian"),
        (900000, "UAH", "friend"),  # no amount in hryvnias earns the highest one
        (900000, "JPY", "patron"),
        (1, "EUR", "patron"),
    ],
)
def test_the_highest_level_reached_wins(amount: int, currency: str, expected: str) -> None:
    assert levels.for_amount(amount, currency).slug == expected


def test_rank_decides_and_not_the_larger_amount() -> None:
    factories.level("founder", rank=9, amounts={"EUR": 2000})
    assert levels.for_amount(6000, "EUR").slug == "founder"


def test_money_never_waits_for_a_level_that_was_deleted() -> None:
    Level.objects.all().delete()
    made = levels.for_amount(1000, "EUR")
    assert made.slug == "patron"
    assert made.name("uk") == "Спільнота"
    assert levels.for_amount(1000, "EUR") == made


def test_a_name_falls_back_to_one_that_is_there() -> None:
    assert Level.objects.get(slug="friend").name("uk") == "Friend"
