"""Suggestions of the amount form: a currency for this reader, and amounts for each frequency.

The numbers are in payments/currencies.py, the limits are checked by payments/money.py. Also suggests a lower amount to
a supporter whose payment fails or who is about to stop.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.conf import settings

from payments import money, rhythms
from payments.currencies import TABLE

_EURO = "AD AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MC ME MT NL PT SI SK SM VA XK"
_BY_REGION = dict.fromkeys(_EURO.split(" "), "EUR") | {
    "US": "USD",
    "GB": "GBP",
    "GG": "GBP",
    "IM": "GBP",
    "JE": "GBP",
    "UA": "UAH",
    "CA": "CAD",
    "AU": "AUD",
    "CH": "CHF",
    "LI": "CHF",
    "SE": "SEK",
    "NO": "NOK",
    "DK": "DKK",
    "GL": "DKK",
    "PL": "PLN",
    "CZ": "CZK",
    "HU": "HUF",
    "JP": "JPY",
}
# The currency for a language when the browser names no region.
_BY_LANGUAGE = {
    "uk": "UAH",
    "pl": "PLN",
    "cs": "CZK",
    "hu": "HUF",
    "sv": "SEK",
    "nb": "NOK",
    "nn": "NOK",
    "da": "DKK",
    "ja": "JPY",
}


@dataclass(frozen=True)
class Chip:
    """A button with an amount: `value` for the form ("10"), `label` for the reader ("€10")."""

    value: str
    label: str


def chips(currency: str, frequency: str) -> list[Chip]:
    """Return the four suggested amounts in ascending order."""
    minor = [money.from_major(amount, currency) for amount in TABLE[currency].suggestion(frequency).amounts]
    return [Chip(money.plain(amount, currency), money.format(amount, currency, short=True)) for amount in minor]


def first_choice(currency: str, frequency: str) -> str:
    """Return the value of the chip that is selected before the reader chooses."""
    return str(TABLE[currency].suggestion(frequency).default)


def lower(amount: int, currency: str, frequency: str) -> int | None:
    """Return the next smaller suggested amount, or the smallest accepted one; None if none is below `amount`.

    All in minor units. Also None for a currency that is not in the table, or a frequency that we do not offer.
    """
    row = TABLE.get(currency)
    if row is None or frequency not in rhythms.OFFERED:
        return None
    steps = (row.minimum(frequency), *row.suggestion(frequency).amounts)
    below = [step for step in (money.from_major(each, currency) for each in steps) if step < amount]
    return max(below, default=None)


def currency_for(asked: str, accept_language: str) -> str:
    """Return the requested currency if it is offered, else the browser's, else the first one in CURRENCIES.

    The browser's first preferred language decides: by its region (en-GB gives GBP), without one by itself (uk: UAH).
    """
    for code in (asked.upper(), _from_browser(accept_language)):
        if code in settings.CURRENCIES:
            return code
    return str(settings.CURRENCIES[0])


def _from_browser(accept_language: str) -> str:
    """Return the currency for the first language of an Accept-Language header, or ""."""
    first = re.match(r"\s*([a-z]{2,3})(?:-[a-z]{4})?(?:-([a-z]{2}))?\b", accept_language[:80], re.IGNORECASE)
    if not first:
        return ""
    language, region = first[1].lower(), (first[2] or "").upper()
    return _BY_REGION.get(region, "") if region else _BY_LANGUAGE.get(language, "")
