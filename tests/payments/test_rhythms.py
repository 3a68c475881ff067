"""Rhythms in words, as a frequency of our forms, and per month."""

from __future__ import annotations

import pytest
from django.utils import translation

from payments import rhythms


@pytest.mark.parametrize(
    ("interval", "count", "frequency", "text", "monthly"),
    [
        ("month", 1, "month", "month", 12000),
        ("year", 1, "year", "year", 1000),
        ("month", 12, "year", "year", 1000),
        ("month", 3, "other", "3 month", 4000),
        ("year", 2, "other", "2 year", 500),
        ("week", 1, "other", "week", 52000),
        ("week", 2, "other", "2 week", 26000),
        ("day", 1, "other", "day", 365000),
        ("", 1, "other", "", 0),
        ("fortnight", 1, "other", "fortnight", 0),
    ],
)
def test_an_interval_and_a_count(interval: str, count: int, frequency: str, text: str, monthly: int) -> None:
    assert rhythms.frequency(interval, count) == frequency
    assert rhythms.text(interval, count) == text
    assert rhythms.per_month(12000, interval, count) == monthly


@pytest.mark.parametrize(
    ("rhythm", "english", "ukrainian"),
    [
        ("month", "every month", "щомісяця"),
        ("year", "every year", "щороку"),
        ("week", "every week", "щотижня"),
        ("day", "every day", "щодня"),
        ("3 month", "every 3 months", "кожні 3 місяці"),
        ("6 month", "every 6 months", "кожні 6 місяців"),
        ("21 day", "every 21 days", "кожен 21 день"),
        ("2 week", "every 2 weeks", "кожні 2 тижні"),
        ("2 year", "every 2 years", "кожні 2 роки"),
        ("part", "this time", "цього разу"),
        ("", "from time to time", "час від часу"),
        ("2 moon", "from time to time", "час від часу"),
        ("fortnight", "from time to time", "час від часу"),
    ],
)
def test_in_words(rhythm: str, english: str, ukrainian: str) -> None:
    with translation.override("en"):
        assert rhythms.words(rhythm) == english
    with translation.override("uk"):
        assert rhythms.words(rhythm) == ukrainian


def test_a_gift_in_words_names_no_sum_that_is_not_known() -> None:
    with translation.override("en"):
        assert rhythms.gift(1000, "EUR", "month") == "€10.00 every month"
        assert rhythms.gift(3000, "EUR", "3 month") == "€30.00 every 3 months"
        assert rhythms.gift(1000, "EUR", "once") == "€10.00, given once"
        assert rhythms.gift(600, "EUR", "part") == "€6.00 this time"
        assert rhythms.gift(0, "EUR", "year") == "changing amounts every year"
