"""Filters for amounts and days: {{ amount|money:currency }}, {{ amount|money_short:currency }}, {{ date|day }}.

Amounts are in minor units. The language is the active one, that of the page or email.
"""

from __future__ import annotations

from datetime import date

from babel.dates import format_date
from django import template
from django.utils.translation import get_language

from payments import money as sums

register = template.Library()


@register.filter
def money(amount: int | None, currency: str) -> str:
    return "" if amount is None else sums.format(amount, currency)


@register.filter
def money_short(amount: int | None, currency: str) -> str:
    return "" if amount is None else sums.format(amount, currency, short=True)


@register.filter
def day(value: date | None) -> str:
    """Return a date with the month as a word, in the same order in every language: 22 November 2026."""
    return "" if value is None else format_date(value, "d MMMM y", locale=(get_language() or "en").replace("-", "_"))


@register.filter
def day_without_year(value: date | None) -> str:
    return "" if value is None else format_date(value, "d MMMM", locale=(get_language() or "en").replace("-", "_"))
