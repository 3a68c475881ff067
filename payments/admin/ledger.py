"""The ledger at the desk. Its rows cannot be changed by anybody: the database refuses."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from payments.desk import columns
from payments.desk.columns import NONE, column
from payments.desk.filters import CurrencyFilter, OnePayment
from payments.desk.pages import Fact, Table
from payments.desk.search import FindsByPerson
from payments.models import LedgerEntry


@column(gettext_lazy("amount"))
def signed_amount(row: LedgerEntry) -> str | SafeString:
    """The amount with its sign. A settlement moves nothing of its own."""
    return NONE if row.kind == LedgerEntry.Kind.SETTLEMENT else columns.amount(row.amount, row.currency)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(FindsByPerson):
    exact = ("source",)
    person = "payment__supporter"
    page_related = ("payment__supporter", "refund", "settles")
    list_display = (
        columns.number,
        columns.moment_column("occurred_at", gettext_lazy("when")),
        "kind",
        signed_amount,
        columns.amount_column(pgettext_lazy("sum", "settled"), "settled_amount", "settled_currency"),
        columns.amount_column(gettext_lazy("fee"), "fee", "settled_currency"),
        column(gettext_lazy("payment"))(lambda row: columns.link(row.payment)),
        column(gettext_lazy("source"))(lambda row: columns.code(row.source)),
    )
    list_filter = ("kind", CurrencyFilter, "occurred_at", OnePayment)
    list_select_related = ("payment",)

    def facts(self, row: LedgerEntry) -> list[Fact]:
        return [
            (_("Supporter"), columns.person(row.payment.supporter)),
            (_("Payment"), columns.link(row.payment)),
            (_("Refund"), columns.link(row.refund)),
            (_("Kind"), row.get_kind_display()),
            (_("Amount"), signed_amount(row)),
            (_("Settles"), columns.link(row.settles)),
            (pgettext("sum", "Settled"), columns.amount(row.settled_amount, row.settled_currency)),
            (_("Fee"), columns.amount(row.fee, row.settled_currency)),
            (_("Rate"), row.exchange_rate or NONE),
            (_("When it happened"), columns.moment(row.occurred_at)),
            (_("When recorded"), columns.moment(row.recorded_at)),
            (_("Source"), columns.code(row.source)),
        ]


def ledger_table(rows: Iterable[LedgerEntry]) -> Table:
    """The lines of a payment or a refund."""
    head = [_("Line"), _("When"), _("Kind"), _("Amount"), pgettext("sum", "Settled"), _("Fee"), _("Source")]
    return Table(_("Ledger"), head, [_line(row) for row in rows], empty=_("Nothing is written in the ledger yet."))


def _line(row: LedgerEntry) -> list[object]:
    settled = columns.amount(row.settled_amount, row.settled_currency)
    fee = columns.amount(row.fee, row.settled_currency)
    number, when = columns.link(row, f"#{row.pk}"), columns.moment(row.occurred_at)
    return [number, when, row.get_kind_display(), signed_amount(row), settled, fee, columns.code(row.source)]
