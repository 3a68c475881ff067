"""How facts look at the desk: a state with its shape, an amount with its currency, a link, a moment.

Used by the lists and pages of the staff's desk. Nothing here asks the database.
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
from payments import money
from payments.models import Payment

NONE = "–"
GOOD, LATE, BAD, OVER = "good", "late", "bad", "over"

Column = Callable[[Any], Any]


def state(label: str, tone: str) -> SafeString:
    """A word with its shape: the shape comes from the style sheet, the word is always there."""
    return format_html('<span class="state {}">{}</span>', tone, label)


def amount(minor: int | None, currency: str) -> str | SafeString:
    """An amount in minor units of its currency as people read it."""
    if minor is None or not currency:
        return NONE
    return format_html('<span class="figure">{}</span>', plain_amount(minor, currency))


def plain_amount(minor: int, currency: str) -> str:
    """The same for a sentence."""
    return money.format(minor, currency)


def address_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])


def link(row: Model | None, words: object = None) -> str | SafeString:
    """A link to the page of a row, which must have been fetched."""
    return format_html('<a href="{}">{}</a>', address_of(row), words or row) if row else NONE


def paid_from(payment: Payment) -> str:
    """The card or account a payment came from."""
    return gettext("outside Stripe") if payment.is_outside_stripe else payment.method or NONE


def person(supporter: Supporter | None) -> str | SafeString:
    """Name and address, linked to the person's page."""
    if supporter is None:
        return NONE
    if not supporter.name:
        return named(link(supporter, supporter.email))
    return named(link(supporter, supporter.name), supporter.email)


def named(name: object, email: str = "") -> SafeString:
    """A person in a list: the name, and the address below it."""
    below = format_html("<br><small>{}</small>", email) if email else ""
    return format_html('<span class="person">{}{}</span>', name, below)


def moment(at: datetime | None) -> str:
    return formats.date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") if at else NONE


def day(on: date | None) -> str:
    return formats.date_format(on, "SHORT_DATE_FORMAT") if on else NONE


def code(text: str | None) -> str | SafeString:
    return format_html("<code>{}</code>", text) if text else NONE


def tinted(row: Model, field: str, tones: Mapping[Any, str]) -> SafeString:
    """The state in a field of a row, with its word and tone."""
    label = getattr(row, f"get_{field}_display")()
    return state(label, tones.get(getattr(row, field), OVER))


def column(label: Any) -> Callable[[Column], Column]:
    """Name a function of one row as a column of a list."""
    return admin.display(description=label)


@admin.display(description="#")
def number(row: Model) -> str:
    """The first column of a list: what its page is linked by."""
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
    """Through a path such as `payment.supporter`, fetched with the list."""

    @column(Supporter._meta.verbose_name)
    def shown(row: Model) -> str | SafeString:
        return person(attrgetter(path)(row))

    return shown
