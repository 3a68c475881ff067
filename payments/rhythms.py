"""Rhythms of recurring gifts: how often Stripe charges, as an interval and a count, in words and per month.

Our forms offer a month and a year; in Stripe's dashboard staff can agree on any other (docs/decisions/0027). A rhythm
is also written as one plain text, for the frozen facts of emails: "month", "year", "once", "3 month", "week", "" for
one that is not known, and PART for one payment that is not the price of a period.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payments import money

MONTH, YEAR, ONCE, OTHER = "month", "year", "once", "other"
# One payment whose sum is not what the gift costs: a part was paid from credit, or a change in the middle was billed.
PART = "part"
OFFERED = (MONTH, YEAR, ONCE)


def frequency(interval: str, count: int) -> str:
    """Return the frequency of our forms that a rhythm is, or "other". Twelve months are a year."""
    return {(MONTH, 1): MONTH, (YEAR, 1): YEAR, (MONTH, 12): YEAR}.get((interval, count), OTHER)


def text(interval: str, count: int) -> str:
    """Return a rhythm as plain text: "month", "year", "3 month", "week"; "" if Stripe names none."""
    if not interval or (known := frequency(interval, count)) == OTHER:
        return "" if not interval else interval if count == 1 else f"{count} {interval}"
    return known


def per_month(amount: int, interval: str, count: int) -> int:
    """Return what an amount per period comes to in a month, in minor units, rounded down; 0 for an unknown rhythm."""
    periods, months = {"month": (1, 1), "year": (1, 12), "week": (52, 12), "day": (365, 12)}.get(interval, (0, 1))
    return amount * periods // (months * max(count, 1))


def later(first: date, interval: str, count: int) -> date | None:
    """Return the day so many intervals after the first; None for an unknown interval.

    It keeps the first day of the month where the month has it: 31 January, 28 February, 31 March.
    """
    if interval in (MONTH, YEAR):
        months = first.month - 1 + count * (12 if interval == YEAR else 1)
        year, month = first.year + months // 12, months % 12 + 1
        return date(year, month, min(first.day, monthrange(year, month)[1]))
    days = {"week": 7, "day": 1}.get(interval)
    return first + timedelta(days=days * count) if days else None


def words(rhythm: str) -> str:
    """Return a rhythm's plain text in words of the active language: every month, every 3 months, every week."""
    known = {
        MONTH: _("every month"),
        YEAR: _("every year"),
        ONCE: _("once"),
        "week": _("every week"),
        "day": _("every day"),
        PART: _("this time"),
    }
    if rhythm in known:
        return known[rhythm]
    count, _space, interval = rhythm.partition(" ")
    return _several(int(count), interval) if interval else _("from time to time")


def _several(count: int, interval: str) -> str:
    """Return the words for a rhythm of several days, weeks, months or years."""
    several = {
        "day": ngettext("every %(count)s day", "every %(count)s days", count),
        "week": ngettext("every %(count)s week", "every %(count)s weeks", count),
        "month": ngettext("every %(count)s month", "every %(count)s months", count),
        "year": ngettext("every %(count)s year", "every %(count)s years", count),
    }
    return several[interval] % {"count": count} if interval in several else _("from time to time")


def gift(amount: int, currency: str, rhythm: str) -> str:
    """Return a gift in words: €10.00 every month, €30.00 every 3 months, or changing amounts every month.

    `amount` is in minor units; 0 if no sum can be named beforehand.
    """
    if not amount:
        return _("changing amounts %(rhythm)s") % {"rhythm": words(rhythm)}
    sum = money.format(amount, currency)
    whole = {
        MONTH: _("%(sum)s every month"),
        YEAR: _("%(sum)s every year"),
        ONCE: _("%(sum)s, given once"),
    }
    return whole.get(rhythm, _("%(sum)s %(rhythm)s")) % {"sum": sum, "rhythm": words(rhythm)}
