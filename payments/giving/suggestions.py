"""What the amount form suggests: the currency for this reader, and the amounts of each frequency in it.

The numbers are the currency table's; nothing here decides what is accepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.conf import settings

from payments import money
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
# Languages that name a region well enough when the browser does not.
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
    value: str
    label: str


def chips(currency: str, frequency: str) -> list[Chip]:
    """The four amounts suggested, ascending."""
    minor = [money.from_major(amount, currency) for amount in TABLE[currency].suggestion(frequency).amounts]
    return [Chip(money.plain(amount, currency), money.format(amount, currency, short=True)) for amount in minor]


def first_choice(currency: str, frequency: str) -> str:
    """The value of the chip that is chosen before the reader chooses."""
    return str(TABLE[currency].suggestion(frequency).default)


def lower(amount: int, currency: str, frequency: str) -> int | None:
    """The next smaller amount of the table, or the least that is accepted; None where there is none below `amount`.

    Minor units of the currency.
    """
    row = TABLE.get(currency)
    if row is None:
        return None
    steps = (row.minimum(frequency), *row.suggestion(frequency).amounts)
    below = [step for step in (money.from_major(each, currency) for each in steps) if step < amount]
    return max(below, default=None)


def currency_for(asked: str, accept_language: str) -> str:
    """The currency asked for, if offered; else that of the region the browser's first language names; else ours."""
    for code in (asked.upper(), _from_browser(accept_language)):
        if code in settings.CURRENCIES:
            return code
    return str(settings.CURRENCIES[0])


def _from_browser(accept_language: str) -> str:
    first = re.match(r"\s*([a-z]{2,3})(?:-[a-z]{4})?(?:-([a-z]{2}))?\b", accept_language[:80], re.IGNORECASE)
    if not first:
        return ""
    language, region = first[1].lower(), (first[2] or "").upper()
    return _BY_REGION.get(region, "") if region else _BY_LANGUAGE.get(language, "")
