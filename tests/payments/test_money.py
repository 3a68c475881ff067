"""Money is whole minor units: typed text is parsed exactly or refused, and formatted amounts can be parsed again."""

from __future__ import annotations

import ast
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from payments import money
from payments.currencies import TABLE
from payments.money import AmountError

ROOT = Path(__file__).resolve().parents[2]
CURRENCIES = sorted(TABLE)
LANGUAGES = ["en", "uk", "de", "pl", "fr"]
LARGEST = 10**13


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("10", "EUR", 1000),
        ("10,5", "EUR", 1050),
        ("10.50", "EUR", 1050),
        ("0.07", "EUR", 7),
        ("1 000", "EUR", 100000),
        ("1\u00a0000,50", "EUR", 100050),
        ("1\u202f000", "EUR", 100000),
        ("1\u2009234\u2009567", "EUR", 123456700),
        ("1'000", "CHF", 100000),
        ("1’000.50", "CHF", 100050),
        ("1.000,50", "EUR", 100050),
        ("1,000.50", "EUR", 100050),
        ("1,234,567", "EUR", 123456700),
        ("1.234.567,89", "EUR", 123456789),
        ("١٠", "EUR", 1000),
        ("۱۰٫۵", "EUR", 1050),
        ("१०", "EUR", 1000),
        ("１０", "EUR", 1000),
        (" 10 ", "EUR", 1000),
        ("\u200e10\u200f", "EUR", 1000),
        ("10 €", "EUR", 1000),
        ("€10", "EUR", 1000),
        ("eur 10", "EUR", 1000),
        ("200 ₴", "UAH", 20000),
        ("1500", "JPY", 1500),
        ("1,500", "JPY", 1500),
        ("15.000", "JPY", 15000),
        ("2000", "HUF", 200000),
        ("0", "EUR", 0),
        ("200 грн", "UAH", 20000),
        ("200 грн.", "UAH", 20000),
        ("₴200", "UAH", 20000),
        ("200 ГРИВЕНЬ", "UAH", 20000),
        ("50 zł", "PLN", 5000),
        ("50zl", "PLN", 5000),
        ("49,99 złotych", "PLN", 4999),
        ("$10", "USD", 1000),
        ("US$10", "USD", 1000),
        ("$10 USD", "USD", 1000),
        ("＄１０", "USD", 1000),
        ("$10", "CAD", 1000),
        ("C$10", "CAD", 1000),
        ("A$ 10", "AUD", 1000),
        ("10 pounds", "GBP", 1000),
        ("25,-", "EUR", 2500),
        ("25,- €", "EUR", 2500),
        ("€ 25,--", "EUR", 2500),
        ("20.–", "CHF", 2000),
        ("Fr. 20.—", "CHF", 2000),
        ("20 Franken", "CHF", 2000),
        ("1'000.50 CHF", "CHF", 100050),
        ("100:-", "SEK", 10000),
        ("100 kr.", "DKK", 10000),
        ("kr 100", "NOK", 10000),
        ("100 Kč", "CZK", 10000),
        ("5000 Ft", "HUF", 500000),
        ("5 000 Ft.", "HUF", 500000),
        ("5000 forint", "HUF", 500000),
        ("10\u00a0€", "EUR", 1000),
        ("10 euro", "EUR", 1000),
        ("10 Euros", "EUR", 1000),
        ("10 євро", "EUR", 1000),
        ("￥1500", "JPY", 1500),
        ("1500円", "JPY", 1500),
        ("１，５００", "JPY", 1500),
    ],
)
def test_an_amount_is_read_exactly(text: str, currency: str, minor: int) -> None:
    assert money.parse(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        ("", "EUR", "empty"),
        ("   ", "EUR", "empty"),
        ("€", "EUR", "empty"),
        ("1e3", "EUR", "not_a_number"),
        ("10²", "EUR", "not_a_number"),
        ("$10", "EUR", "not_a_number"),
        ("US$10", "CAD", "not_a_number"),
        ("50 zł", "UAH", "not_a_number"),
        ("10 kr", "EUR", "not_a_number"),
        ("25,-5", "EUR", "not_a_number"),
        ("5.000 Ft", "HUF", "ambiguous"),
        ("грн", "UAH", "empty"),
        ("-25,-", "EUR", "negative"),
        ("NaN", "EUR", "not_a_number"),
        ("Infinity", "EUR", "not_a_number"),
        ("+5", "EUR", "not_a_number"),
        ("0x10", "EUR", "not_a_number"),
        ("1_000", "EUR", "not_a_number"),
        ("10€5", "EUR", "not_a_number"),
        ("10 USD", "EUR", "not_a_number"),
        ("10,", "EUR", "not_a_number"),
        (".50", "EUR", "not_a_number"),
        ("1 00", "EUR", "not_a_number"),
        ("1.00.000", "EUR", "not_a_number"),
        ("1 000'000", "EUR", "not_a_number"),
        ("1,2,3.4", "EUR", "not_a_number"),
        ("½", "EUR", "not_a_number"),
        ("2²", "EUR", "not_a_number"),
        ("десять", "UAH", "not_a_number"),
        ("10\x00", "EUR", "not_a_number"),
        ("-5", "EUR", "negative"),
        ("−5", "EUR", "negative"),
        ("€-5", "EUR", "negative"),
        ("1.000", "EUR", "ambiguous"),
        ("1,000", "EUR", "ambiguous"),
        ("10.505", "EUR", "ambiguous"),
        ("0.505", "EUR", "decimals"),
        ("1234.567", "EUR", "decimals"),
        ("10.5055", "EUR", "decimals"),
        ("1500.5", "JPY", "decimals"),
        ("9" * 41, "EUR", "too_long"),
    ],
)
def test_what_is_no_amount_is_refused(text: str, currency: str, code: str) -> None:
    with pytest.raises(AmountError) as problem:
        money.parse(text, currency)
    assert problem.value.code == code


@given(
    amount=st.integers(min_value=0, max_value=LARGEST),
    currency=st.sampled_from(CURRENCIES),
    language=st.sampled_from(LANGUAGES),
)
def test_what_is_shown_can_be_read_back(amount: int, currency: str, language: str) -> None:
    assert money.parse(money.format(amount, currency, language), currency) == amount


@given(amount=st.integers(min_value=0, max_value=LARGEST), currency=st.sampled_from(CURRENCIES))
def test_what_stands_in_an_address_can_be_read_back(amount: int, currency: str) -> None:
    assert money.parse(money.plain(amount, currency), currency) == amount


@given(text=st.text(max_size=60), currency=st.sampled_from(CURRENCIES))
def test_no_text_breaks_the_reader(text: str, currency: str) -> None:
    with suppress(AmountError):
        assert money.parse(text, currency) >= 0


@pytest.mark.parametrize(
    ("amount", "currency", "language", "short", "shown"),
    [
        (1000, "EUR", "en", False, "€10.00"),
        (1000, "EUR", "en", True, "€10"),
        (1050, "EUR", "en", True, "€10.50"),
        (123456789, "USD", "en", False, "$1,234,567.89"),
        (10000, "UAH", "uk", True, "100\u00a0₴"),
        (10000, "UAH", "uk", False, "100,00\u00a0₴"),
        (1000, "EUR", "uk", True, "10\u00a0€"),
        (1500, "JPY", "en", False, "¥1,500"),
        (1500, "JPY", "uk", True, "1\u00a0500\u00a0¥"),
        (200000, "HUF", "en", True, "HUF\u00a02,000"),
        (700, "CAD", "en", True, "CA$7"),
        (-1000, "EUR", "en", False, "-€10.00"),
        (1000, "EUR", "xx", True, "€10"),
    ],
)
def test_money_is_shown_as_people_write_it(amount: int, currency: str, language: str, short: bool, shown: str) -> None:
    assert money.format(amount, currency, language, short=short) == shown


def test_the_language_is_the_pages_own() -> None:
    with override("uk"):
        assert (
            Template("{% load money %}{{ a|money_short:'UAH' }} {{ a|money:'UAH' }}").render(Context({"a": 10000}))
            == "100\u00a0₴ 100,00\u00a0₴"
        )


@pytest.mark.parametrize(
    ("currency", "exponent"),
    [("EUR", 2), ("JPY", 0), ("HUF", 2), ("KRW", 0), ("ISK", 2), ("UGX", 2), ("KWD", 3), ("XOF", 0), ("ZZZ", 2)],
)
def test_exponents_are_stripes(currency: str, exponent: int) -> None:
    assert money.exponent(currency) == exponent


def test_a_yearly_gift_counts_a_twelfth() -> None:
    assert [money.monthly(12000, each) for each in ("month", "year", "once")] == [12000, 1000, 0]
    assert money.monthly(10000, "year") == 833


@pytest.mark.parametrize("currency", CURRENCIES)
@pytest.mark.parametrize("frequency", ["month", "year", "once"])
def test_every_suggestion_is_within_its_limits(currency: str, frequency: str) -> None:
    for amount in TABLE[currency].suggestion(frequency).amounts:
        money.check_limits(money.from_major(amount, currency), currency, frequency)


@pytest.mark.parametrize(
    ("amount", "frequency", "code", "limit"),
    [(199, "month", "too_small", 200), (299, "once", "too_small", 300), (500001, "year", "too_large", 500000)],
)
def test_limits_name_themselves(amount: int, frequency: str, code: str, limit: int) -> None:
    with pytest.raises(AmountError) as problem:
        money.check_limits(amount, "EUR", frequency)
    assert (problem.value.code, problem.value.limit) == (code, limit)


@pytest.mark.parametrize("amount", [200, 500000])
def test_limits_themselves_are_accepted(amount: int) -> None:
    money.check_limits(amount, "EUR", "month")


def test_major_units_are_exact() -> None:
    assert money.to_major(1050, "EUR") == Decimal("10.50")
    assert money.to_major(1500, "JPY") == Decimal(1500)


@pytest.mark.parametrize(
    "name",
    [
        "money.py",
        "currencies.py",
        "giving/choices.py",
        "giving/forms.py",
        "giving/suggestions.py",
        "giving/other_ways.py",
    ],
)
def test_no_float_in_the_modules_of_money(name: str) -> None:
    for node in ast.walk(ast.parse((ROOT / "payments" / name).read_text())):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), node.lineno
        assert not (isinstance(node, ast.Name) and node.id == "float"), node.lineno
        assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)), node.lineno
