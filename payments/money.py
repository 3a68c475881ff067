"""Money as integers: minor units with their currency, parsed from what people type and formatted for reading.

No floats, here or anywhere. Stripe's exponents decide how many decimals a currency has. Suggested amounts and limits
are in payments/currencies.py, error messages for people in payments/giving/forms.py.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from babel.numbers import get_currency_symbol
from django.conf import settings
from django.utils.translation import get_language

from members import sums
from payments.currencies import TABLE, WORDS

# https://docs.stripe.com/currencies#zero-decimal and #three-decimal. UGX and ISK are sent with two decimals.
_EXPONENTS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"), 0
) | dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3)
_LONGEST = 40
_SPACES_AND_APOSTROPHES = "' ’ʼ"
_MINUSES = "-−–"


@dataclass(frozen=True)
class Money:
    """An amount in minor units, with its currency code in upper case."""

    amount: int
    currency: str


class AmountError(ValueError):
    """An amount is not accepted. `code` is the reason, for the form to put into words.

    Codes: empty, too_long, not_a_number, negative, ambiguous, decimals, too_small, too_large. `limit` is the limit, in
    minor units, for the last two, else None.
    """

    def __init__(self, code: str, limit: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.limit = limit


def exponent(currency: str) -> int:
    """Return the number of decimals in Stripe's minor unit of a currency: 2 for EUR, 0 for JPY, 2 if unknown."""
    return TABLE[currency].exponent if currency in TABLE else _EXPONENTS.get(currency, 2)


def from_major(amount: int, currency: str) -> int:
    """Convert whole major units to minor units: 5 EUR to 500."""
    return int(amount) * 10 ** exponent(currency)


def to_major(amount: int, currency: str) -> Decimal:
    """Convert minor units to an exact decimal in major units: 1050 EUR cents to 10.50."""
    return Decimal(amount).scaleb(-exponent(currency))


def monthly(amount: int, frequency: str) -> int:
    """Return the monthly value of a gift, in minor units: a twelfth of a yearly one, rounded down; 0 for a one-off."""
    return {"month": amount, "year": amount // 12}.get(frequency, 0)


def parse(text: str, currency: str) -> int:
    """Return the amount somebody typed, exactly, in minor units. Raises AmountError.

    Accepts digits of every script, spaces and apostrophes between thousands, a comma or point before decimals, the
    currency's own sign, word or code at either end, and a dash instead of decimals (`25,-`). Text that can be read in
    two ways (`1.000` euros) is refused.
    """
    if len(text) > _LONGEST:
        raise AmountError("too_long")
    plain = _without_dash(_without_sign(_without_dash(_without_sign(_plain(text), currency)), currency))
    if not plain:
        raise AmountError("empty")
    if plain[0] in _MINUSES:
        raise AmountError("negative")
    whole, decimals = _parts(plain, exponent(currency))
    return int(whole + decimals.ljust(exponent(currency), "0"))


def check_limits(amount: int, currency: str, frequency: str) -> None:
    """Raise AmountError too_small or too_large if an amount in minor units is outside the currency's limits."""
    row = TABLE[currency]
    lowest, highest = from_major(row.minimum(frequency), currency), from_major(row.maximum, currency)
    if amount < lowest:
        raise AmountError("too_small", lowest)
    if amount > highest:
        raise AmountError("too_large", highest)


def format(amount: int, currency: str, language: str | None = None, short: bool = False) -> str:
    """Return minor units as people write them in a language: €10.00, in Ukrainian 10,00 €.

    `short` leaves out decimals that are all zero. The language is by default the active one.
    """
    decimals = exponent(currency)
    is_whole = short and amount % 10**decimals == 0
    return sums.written(to_major(amount, currency), currency, _language(language), 0 if is_whole else decimals)


def plain(amount: int, currency: str) -> str:
    """Return minor units as a plain decimal for URLs and form values: 10 or 10.50."""
    text = f"{to_major(amount, currency):f}"
    return text.partition(".")[0] if amount % 10 ** exponent(currency) == 0 else text


def sign(currency: str) -> str:
    return sums.sign(currency)


def sign_leads(language: str | None = None) -> bool:
    """Return whether the language, by default the active one, writes the currency's sign before the number."""
    return sums.sign_leads(_language(language))


def name(currency: str, language: str | None = None) -> str:
    """Return the currency's name in the plural: euros, українські гривні."""
    return sums.name(currency, _language(language))


def _plain(text: str) -> str:
    """Return the text with digits of any script as 0-9, any space as a plain one, Arabic separators as . and '.

    Invisible format characters are removed.
    """
    swapped = {"٫": ".", "٬": "'", "．": ".", "，": ",", "＄": "$", "￡": "£", "￥": "¥"}
    out = []
    for character in text:
        if character.isdecimal():
            out.append(str(unicodedata.decimal(character)))
        elif unicodedata.category(character) == "Zs" or character in "\t\u2009":
            out.append(" ")
        elif unicodedata.category(character) != "Cf":
            out.append(swapped.get(character, character))
    return "".join(out).strip()


def _without_sign(text: str, currency: str) -> str:
    """Return the text without the currency's own sign, word or code at either end. Another currency's stays."""
    for known in _signs(currency):
        if text[: len(known)].casefold() == known:
            return text[len(known) :].strip()
        if text[-len(known) :].casefold() == known:
            return text[: -len(known)].strip()
    return text


@cache
def _signs(currency: str) -> list[str]:
    """Return what may stand next to an amount of this currency, longest first, in small letters."""
    known = {currency, sign(currency), get_currency_symbol(currency, "en"), *WORDS.get(currency, ())}
    small = {each.casefold() for each in known}
    return sorted(small | {f"{each}." for each in small}, key=len, reverse=True)


def _without_dash(text: str) -> str:
    """Return the text without a dash in place of decimals, as in `25,-`, `20.–` or `100:-`."""
    return re.sub(r"(?<=[0-9])\s*[.,:]\s*[-−–—]{1,2}$", "", text).strip()


def _parts(text: str, decimals: int) -> tuple[str, str]:
    """Return the digits before and after the decimal separator. Raises AmountError: not a number, or ambiguous."""
    if not re.fullmatch(rf"[0-9]+(?:[.,{_SPACES_AND_APOSTROPHES}][0-9]+)*", text):
        raise AmountError("not_a_number")
    marks = [character for character in text if not character.isdigit()]
    points = [mark for mark in marks if mark in ".,"]
    if not points:
        return _grouped(text, marks), ""
    if len(points) == 1 and marks[-1] in ".,":
        return _with_one_point(text, marks, decimals)
    if marks[-1] in ".," and marks.count(marks[-1]) == 1:
        whole, _, after = text.rpartition(marks[-1])
        return _grouped(whole, marks[:-1]), _decimals(after, decimals)
    return _grouped(text, marks), ""


def _with_one_point(text: str, marks: list[str], decimals: int) -> tuple[str, str]:
    """Return the parts of a number whose only comma or point is its last separator.

    `10.50` has decimals. `1.000` means thousands in a currency without decimals, else it raises AmountError ambiguous.
    """
    whole, _, after = text.rpartition(marks[-1])
    looks_like_thousands = len(after) == 3 and re.fullmatch(r"[1-9][0-9]{0,2}", whole)
    if looks_like_thousands and decimals == 0:
        return whole + after, ""
    if looks_like_thousands:
        raise AmountError("ambiguous")
    return _grouped(whole, marks[:-1]), _decimals(after, decimals)


def _decimals(digits: str, allowed: int) -> str:
    if len(digits) > allowed:
        raise AmountError("decimals")
    return digits


def _grouped(text: str, marks: list[str]) -> str:
    """Return the digits without separators; raise AmountError unless one kind of separator groups them by three."""
    if len(set(marks)) > 1 or (marks and not re.fullmatch(r"[0-9]{1,3}(?:\D[0-9]{3})+", text)):
        raise AmountError("not_a_number")
    return re.sub(r"\D", "", text)


def _language(language: str | None) -> str:
    return language or get_language() or settings.LANGUAGE_CODE
