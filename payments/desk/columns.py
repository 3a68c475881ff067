"""Format values for the staff desk: a state with its shape, an amount with its currency, a link, a date.

Used by the desk's lists and pages. Nothing here queries the database, if related rows were fetched with their row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from members.models import Supporter
from members.staff import viewing
from payments import money
from payments.models import Payment

NONE = "–"
GOOD, LATE, BAD, OVER = "good", "late", "bad", "over"

Column = Callable[[Any], Any]


def state(label: str, tone: str) -> SafeString:
    """Return a word with a tone, as HTML. The style sheet turns the tone into a shape; the word is always shown."""
    return format_html('<span class="state {}">{}</span>', tone, label)


def amount(minor: int | None, currency: str) -> str | SafeString:
    """Return an amount (minor units) with its currency, as HTML; a dash without an amount or a currency."""
    if minor is None or not currency:
        return NONE
    return format_html('<span class="figure">{}</span>', plain_amount(minor, currency))


def plain_amount(minor: int, currency: str) -> str:
    """Return an amount (minor units) with its currency as plain text, for a sentence."""
    return money.format(minor, currency)


def address_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])


def link(row: Model | None, words: object = None) -> str | SafeString:
    """Return a link to the desk page of a row, labelled with `words` or the row itself; a dash for None."""
    return format_html('<a href="{}">{}</a>', address_of(row), words or row) if row else NONE


def paid_from(payment: Payment) -> str:
    """Return the card or account of a payment, or that it was made outside Stripe; a dash if it is unknown."""
    return gettext("outside Stripe") if payment.is_outside_stripe else payment.method or NONE


def person(supporter: Supporter | None) -> str | SafeString:
    """Return a supporter's name and email, linked to their desk page; a dash for None.

    For who looks and may not see people, their number; a dash also for somebody whom they may not see at all.
    """
    if supporter is None or not viewing.is_numbered(supporter):
        return NONE
    if not viewing.is_named(supporter):
        return str(supporter)
    if supporter.erased_at:
        return named(link(supporter, gettext("erased")))
    if not supporter.name:
        return named(link(supporter, supporter.email))
    return named(link(supporter, supporter.name), supporter.email)


def named(name: object, email: str = "") -> SafeString:
    """Return a name for a list, with the email, if given, below it."""
    below = format_html("<br><small>{}</small>", email) if email else ""
    return format_html('<span class="person">{}{}</span>', name, below)


def moment(at: datetime | None) -> str:
    return formats.date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") if at else NONE


def day(on: date | None) -> str:
    return formats.date_format(on, "SHORT_DATE_FORMAT") if on else NONE


def code(text: str | None) -> str | SafeString:
    return format_html("<code>{}</code>", text) if text else NONE


def tinted(row: Model, field: str, tones: Mapping[Any, str]) -> SafeString:
    """Return the label of a row's field as a state. A value that `tones` does not name gets the tone OVER."""
    label = getattr(row, f"get_{field}_display")()
    return state(label, tones.get(getattr(row, field), OVER))


def column(label: Any) -> Callable[[Column], Column]:
    """Return a decorator that titles a function of one row as a column of a list."""
    return admin.display(description=label)


@admin.display(description="#")
def number(row: Model) -> str:
    """Return the number of a row: the first column of a list, which links to the row's page."""
    return f"#{row.pk}"


def state_column(field: str, label: object, tones: Mapping[Any, str]) -> Column:
    @column(label)
    def shown(row: Model) -> SafeString:
        return tinted(row, field, tones)

    return shown


def amount_column(label: object, field: str = "amount", currency: str = "currency") -> Column:
    @column(label)
    def shown(row: Model) -> str | SafeString:
        return amount(getattr(row, field), getattr(row, currency))

    return shown


def moment_column(field: str, label: object) -> Column:
    @column(label)
    def shown(row: Model) -> str:
        return moment(getattr(row, field))

    return shown


def person_column(path: str = "supporter") -> Column:
    """Return a column with the supporter at a path such as `payment.supporter`. Fetch that path with the list."""

    @column(Supporter._meta.verbose_name)
    def shown(row: Model) -> str | SafeString:
        return person(attrgetter(path)(row))

    return shown
