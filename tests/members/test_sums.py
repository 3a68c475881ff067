"""Sums written by members/sums.py look the same as those written by payments/money.py."""

from __future__ import annotations

from decimal import Decimal

import pytest

from members import sums
from payments import money
from payments.currencies import TABLE


@pytest.mark.parametrize("currency", TABLE)
@pytest.mark.parametrize("language", ["en", "uk", "xx"])
def test_both_floors_write_the_same_sum_alike(currency: str, language: str) -> None:
    for minor in (1, 99, 500, 1000, 1050, 123456700):
        lower = sums.say(sums.to_major(minor, currency), currency, language)
        assert lower == money.format(minor, currency, language, short=True)
    assert sums.sign(currency) == money.sign(currency)
    assert sums.sign_leads(language) == money.sign_leads(language)
    assert sums.name(currency, language) == money.name(currency, language)


@pytest.mark.parametrize("currency", TABLE)
def test_people_write_as_many_decimals_as_stripe_counts(currency: str) -> None:
    assert sums.decimals(currency) == TABLE[currency].exponent


def test_minor_units_and_back() -> None:
    assert sums.to_minor(Decimal("10.50"), "EUR") == 1050
    assert sums.to_minor(Decimal(1500), "JPY") == 1500
    assert sums.to_major(1050, "EUR") == Decimal("10.50")


def test_half_a_yen_is_refused() -> None:
    with pytest.raises(ValueError, match="decimals"):
        sums.to_minor(Decimal("1.5"), "JPY")


def test_thousands_are_kept_apart_as_the_language_does() -> None:
    assert sums.number(12500, "en") == "12,500"
    assert sums.number(12500, "uk") == "12\xa0500"
