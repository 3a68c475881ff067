"""Checkouts in a table of a desk page: their state and amount in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.columns import GOOD, LATE, column
from payments.desk.pages import Table
from payments.models import Checkout

TONES = {
    Checkout.Status.COMPLETE: GOOD,
    Checkout.Status.OPEN: LATE,
    Checkout.Status.WAITING: LATE,
    Checkout.Status.STARTED: LATE,
}


@column(gettext_lazy("status"))
def checkout_state(row: Checkout) -> SafeString:
    return columns.tinted(row, "status", TONES)


@column(gettext_lazy("amount"))
def checkout_amount(row: Checkout) -> Any:
    return columns.amount(row.amount, row.currency)


def checkout_table(rows: Iterable[Checkout], more: str = "") -> Table:
    head = [_("Checkout"), _("Started"), _("Amount"), _("Frequency"), _("Status")]
    return Table(_("Checkouts"), head, [_line(row) for row in rows], more, _("None."))


def _line(row: Checkout) -> list[object]:
    when, frequency = columns.moment(row.created_at), row.get_frequency_display()
    return [columns.link(row), when, checkout_amount(row), frequency, checkout_state(row)]
