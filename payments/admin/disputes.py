"""The desk's list of disputes: amount, reason, and the deadline for an answer. Disputes are answered at Stripe."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.acts.disputes import AskSupporter
from payments.desk.columns import NONE, column
from payments.desk.filters import CurrencyFilter, OnePayment
from payments.desk.pages import Fact, Part
from payments.desk.search import FindsByPerson
from payments.desk.tables.disputes import TONES
from payments.desk.tables.ledger import ledger_table
from payments.models import Dispute, LedgerEntry


@admin.register(Dispute)
class DisputeAdmin(FindsByPerson):
    is_of_books = True
    acts = (AskSupporter(),)
    exact = ("stripe_dispute_id",)
    person = "payment__supporter"
    page_related = ("payment__supporter",)
    list_display = (
        columns.number,
        columns.person_column("payment.supporter"),
        columns.amount_column(gettext_lazy("amount")),
        columns.state_column("status", gettext_lazy("status"), TONES),
        "reason",
        column(gettext_lazy("payment"))(lambda row: columns.link(row.payment)),
        columns.moment_column("respond_by", gettext_lazy("answer by")),
        columns.moment_column("created_at", gettext_lazy("opened")),
    )
    list_filter = ("status", CurrencyFilter, "created_at", OnePayment)
    list_select_related = ("payment__supporter",)

    def facts(self, row: Dispute) -> list[Fact]:
        return [
            (_("Supporter"), columns.person(row.payment.supporter)),
            (_("Payment"), columns.link(row.payment)),
            (_("Amount"), columns.amount(row.amount, row.currency)),
            (_("Taken from us"), columns.amount(row.withdrawn_amount or None, row.currency)),
            (_("Status"), columns.tinted(row, "status", TONES)),
            (_("Reason"), row.reason or NONE),
            (_("Opened"), columns.moment(row.created_at)),
            (_("Answer at Stripe by"), columns.moment(row.respond_by)),
            (_("At Stripe"), columns.code(row.stripe_dispute_id)),
        ]

    def parts(self, row: Dispute) -> list[Part]:
        moved = rf"^dispute(_returned)?:{row.stripe_dispute_id}(:|$)"
        lines = LedgerEntry.objects.filter(payment=row.payment)
        fees = Q(kind=LedgerEntry.Kind.DISPUTE_FEE)
        return [ledger_table(lines.filter(Q(source__regex=moved) | Q(settles__source__regex=moved) | fees))]
