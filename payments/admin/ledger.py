"""The desk's list of ledger lines. Nobody can change them: a database trigger refuses."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from payments.desk import columns
from payments.desk.columns import NONE, column
from payments.desk.filters import CurrencyFilter, OnePayment
from payments.desk.pages import Fact
from payments.desk.search import FindsByPerson
from payments.desk.tables.ledger import signed_amount
from payments.models import LedgerEntry


@admin.register(LedgerEntry)
class LedgerEntryAdmin(FindsByPerson):
    is_of_books = True
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
