"""Sums as people write them, from a decimal in major units and a currency's code; and minor units to major ones.

Called for amounts that earn a level (members/admin/levels.py), for suggested amounts and goals (appeals/) and by
payments/money.py, which uses Stripe's exponents. So an appeal and the page it links to write a sum in the same way.
"""

from __future__ import annotations

import copy
import re
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberPattern, format_decimal, get_currency_name, get_currency_precision

# The same sign in every language, even if a locale would print the code. Other currencies are shown by their code.
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "UAH": "₴", "JPY": "¥", "CAD": "CA$", "AUD": "A$"}


def say(amount: Decimal | int, currency: str, language: str) -> str:
    """Return major units as people write them, without decimals if all are zero: €10 or €10.50, in Ukrainian 10 €."""
    exact = Decimal(amount)
    return written(exact, currency, language, 0 if exact == int(exact) else decimals(currency))


def written(amount: Decimal, currency: str, language: str, decimals: int) -> str:
    """Return major units with this many decimals and the currency's sign, as this language places it.

    A code in place of a sign, such as CHF, is separated from the digits by a no-break space.
    """
    locale, mark = _locale(language), sign(currency)
    text = _pattern(locale, decimals).apply(amount, locale)
    if mark[-1].isalpha():
        text = re.sub(r"¤(?=\d)", "¤\xa0", text)
    return text.replace("¤", mark)


def sign(currency: str) -> str:
    """Return the currency's sign, or its code if it has none here."""
    return SIGNS.get(currency, currency)


def sign_leads(language: str) -> bool:
    """Return whether this language writes the sign before the number."""
    return "¤" in _pattern(_locale(language), 0).prefix[0]


def name(currency: str, language: str) -> str:
    """Return the currency's name in the plural: euros, українські гривні."""
    return str(get_currency_name(currency, 2, _locale(language)))


def number(value: int, language: str) -> str:
    """Return a whole number with the language's thousands separator: 12,500."""
    return str(format_decimal(value, locale=_locale(language)))


def decimals(currency: str) -> int:
    """Return how many decimals people write in this currency.

    This equals Stripe's exponent for every currency we offer; tests/members/test_sums.py checks it.
    """
    return int(get_currency_precision(currency))


def to_major(amount: int, currency: str) -> Decimal:
    """Convert minor units to an exact decimal in major units."""
    return Decimal(amount).scaleb(-decimals(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """Convert major units to minor units. Raises ValueError if `amount` has more decimals than the currency."""
    return whole(amount.scaleb(decimals(currency)))


def whole(value: Decimal) -> int:
    """Return a decimal as an integer. Raises ValueError if it is not a whole number."""
    if value != int(value):
        raise ValueError(f"{value} is not a whole number: it has decimals.")
    return int(value)


@lru_cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale("en")


@lru_cache
def _pattern(locale: Locale, decimals: int) -> NumberPattern:
    pattern: NumberPattern = copy.copy(locale.currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    return pattern
