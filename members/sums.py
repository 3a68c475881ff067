"""How a sum is written for people, below the floor of money: from a plain decimal in major units and a currency's code.

Called for amounts that earn a level, for amounts that an appeal suggests, and by `payments.money`, which counts in
Stripe's exponents: an appeal and the page it leads to write the same sum in the same way.
"""

from __future__ import annotations

import copy
import re
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberPattern, format_decimal, get_currency_name, get_currency_precision

# One sign everywhere, also where a locale would print the code; the rest is called by its code.
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "UAH": "₴", "JPY": "¥", "CAD": "CA$", "AUD": "A$"}


def say(amount: Decimal | int, currency: str, language: str) -> str:
    """Major units as people write them, without decimals where all are zero: €10, in Ukrainian 10 €; €10.50."""
    exact = Decimal(amount)
    return written(exact, currency, language, 0 if exact == int(exact) else decimals(currency))


def written(amount: Decimal, currency: str, language: str, decimals: int) -> str:
    """Return major units with so many decimals and the sign in its place. A code, such as CHF, stands apart from the
    digits.
    """
    locale, mark = _locale(language), sign(currency)
    text = _pattern(locale, decimals).apply(amount, locale)
    if mark[-1].isalpha():
        text = re.sub(r"¤(?=\d)", "¤\xa0", text)
    return text.replace("¤", mark)


def sign(currency: str) -> str:
    return SIGNS.get(currency, currency)


def sign_leads(language: str) -> bool:
    """Whether this language writes the sign before the number."""
    return "¤" in _pattern(_locale(language), 0).prefix[0]


def name(currency: str, language: str) -> str:
    """The currency's name in the plural: euros, українські гривні."""
    return str(get_currency_name(currency, 2, _locale(language)))


def number(value: int, language: str) -> str:
    """A whole number with its thousands apart."""
    return str(format_decimal(value, locale=_locale(language)))


def decimals(currency: str) -> int:
    """How many decimals people write. Equals Stripe's exponent for every currency we offer; a test says so."""
    return int(get_currency_precision(currency))


def to_major(amount: int, currency: str) -> Decimal:
    """Minor units to an exact decimal in major units."""
    return Decimal(amount).scaleb(-decimals(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """Major units to minor units. Raises ValueError where the currency has fewer decimals than were given."""
    return whole(amount.scaleb(decimals(currency)))


def whole(value: Decimal) -> int:
    """The same number as an integer. Raises ValueError where it has decimals."""
    if value != int(value):
        raise ValueError("A whole number was asked for; this one has decimals.")
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
