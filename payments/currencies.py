"""The table of currencies: Stripe's exponents (not ISO's), suggested amounts, and the smallest and largest accepted.

Amounts here are in major units, as people say them; payments/money.py converts them to minor units. To offer another
currency, add a row and list its code in the setting CURRENCIES.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Suggestion:
    """Four suggested amounts in ascending order, and the one that is selected at first. Major units."""

    amounts: tuple[int, int, int, int]
    default: int


@dataclass(frozen=True)
class Currency:
    """A currency that can be offered. `exponent` is the number of decimals in Stripe's minor unit.

    Suggestions, minimums and maximum are in major units. A one-off gift has a higher minimum than a recurring one.
    """

    code: str
    exponent: int
    month: Suggestion
    year: Suggestion
    once: Suggestion
    minimum_recurring: int
    minimum_once: int
    maximum: int

    def suggestion(self, frequency: str) -> Suggestion:
        """Return the suggested amounts for "month", "year" or "once"."""
        found: Suggestion = getattr(self, frequency)
        return found

    def minimum(self, frequency: str) -> int:
        """Return the smallest amount accepted for this frequency, in major units."""
        return self.minimum_once if frequency == "once" else self.minimum_recurring


def _currency(
    code: str,
    month: tuple[int, ...],
    year: tuple[int, ...],
    once: tuple[int, ...],
    minimum: tuple[int, int],
    maximum: int,
    exponent: int = 2,
) -> Currency:
    """Return a row of the table. `minimum` is (recurring, one-off). The second amount of each four is the default."""
    month_, year_, once_ = (Suggestion(four, four[1]) for four in (month, year, once))  # type: ignore[arg-type]
    return Currency(code, exponent, month_, year_, once_, minimum[0], minimum[1], maximum)


_WESTERN = ((5, 10, 20, 50), (50, 100, 200, 500), (10, 25, 50, 100))
_OVERSEAS = ((7, 15, 30, 75), (75, 150, 300, 750), (15, 35, 75, 150))
_NORDIC = ((50, 100, 200, 500), (500, 1000, 2000, 5000), (100, 250, 500, 1000))

# Signs and words that readers write next to an amount, besides the code and the sign of the locale's data. In any case,
# with a full stop after them or without.
WORDS: dict[str, tuple[str, ...]] = {
    "EUR": ("€", "euro", "euros", "євро"),
    "USD": ("$", "US$", "$US", "dollar", "dollars", "долар", "долари", "доларів"),
    "GBP": ("£", "pound", "pounds", "фунт", "фунти", "фунтів"),
    "CAD": ("$", "C$", "CA$", "Can$", "dollar", "dollars", "долар", "долари", "доларів"),
    "AUD": ("$", "A$", "AU$", "dollar", "dollars", "долар", "долари", "доларів"),
    "CHF": ("Fr", "SFr", "franc", "francs", "Franken", "франк", "франки", "франків"),
    "SEK": ("kr", "kronor", "krona", "крона", "крони", "крон"),
    "NOK": ("kr", "kroner", "krone", "крона", "крони", "крон"),
    "DKK": ("kr", "kroner", "krone", "крона", "крони", "крон"),
    "PLN": ("zł", "zl", "złoty", "złote", "złotych", "злотий", "злоті", "злотих"),
    "CZK": ("Kč", "Kc", "koruna", "koruny", "korun", "крона", "крони", "крон"),
    "HUF": ("Ft", "forint", "форинт", "форинти", "форинтів"),
    "UAH": ("₴", "грн", "гривня", "гривні", "гривень", "hrn"),
    "JPY": ("¥", "円", "yen", "єна", "єни", "єн"),
}

TABLE: dict[str, Currency] = {
    row.code: row
    for row in (
        _currency("EUR", *_WESTERN, (2, 3), 5000),
        _currency("USD", *_WESTERN, (2, 3), 5000),
        _currency("GBP", (4, 8, 15, 40), (40, 80, 150, 400), (10, 20, 50, 100), (2, 3), 5000),
        _currency("CAD", *_OVERSEAS, (3, 4), 7500),
        _currency("AUD", *_OVERSEAS, (3, 4), 7500),
        _currency("CHF", *_WESTERN, (2, 3), 5000),
        _currency("SEK", *_NORDIC, (20, 30), 50000),
        _currency("NOK", *_NORDIC, (20, 30), 50000),
        _currency("DKK", *_NORDIC, (20, 30), 50000),
        _currency("PLN", (15, 30, 60, 150), (150, 300, 600, 1500), (30, 70, 150, 300), (8, 12), 20000),
        _currency("CZK", (100, 200, 400, 1000), (1000, 2000, 4000, 10000), (200, 500, 1000, 2500), (50, 75), 120000),
        _currency(
            "HUF",
            (2000, 4000, 8000, 20000),
            (20000, 40000, 80000, 200000),
            (4000, 10000, 20000, 40000),
            (800, 1200),
            2000000,
        ),
        _currency("UAH", (100, 200, 400, 1000), (1000, 2000, 4000, 10000), (200, 400, 1000, 2000), (80, 120), 200000),
        _currency(
            "JPY",
            (700, 1500, 3000, 7000),
            (7000, 15000, 30000, 70000),
            (1500, 3500, 7000, 15000),
            (300, 450),
            800000,
            exponent=0,
        ),
    )
}
