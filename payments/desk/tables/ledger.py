"""Lines of the ledger in a table of a desk page."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from payments.desk import columns
from payments.desk.columns import NONE, column
from payments.desk.pages import Table
from payments.models import LedgerEntry


@column(gettext_lazy("amount"))
def signed_amount(row: LedgerEntry) -> str | SafeString:
    """Return the amount with its currency as HTML, with a minus for money that left; a dash for 0."""
    return columns.amount(row.amount, row.currency) if row.amount else NONE


def ledger_table(rows: Iterable[LedgerEntry]) -> Table:
    """Return the ledger lines of a payment or a refund as a table."""
    head = [_("Line"), _("When"), _("Kind"), _("Amount"), pgettext("sum", "Settled"), _("Fee"), _("Source")]
    return Table(_("Ledger"), head, [_line(row) for row in rows], empty=_("Nothing is written in the ledger yet."))


def _line(row: LedgerEntry) -> list[object]:
    settled = columns.amount(row.settled_amount, row.settled_currency)
    fee = columns.amount(row.fee, row.settled_currency)
    number, when = columns.link(row, f"#{row.pk}"), columns.moment(row.occurred_at)
    return [number, when, row.get_kind_display(), signed_amount(row), settled, fee, columns.code(row.source)]
