"""The desk's list of refund requests: what staff asked Stripe to send back, and with which result."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.columns import NONE, column
from payments.desk.filters import OnePayment
from payments.desk.pages import Fact
from payments.desk.search import FindsByPerson
from payments.desk.tables.refund_requests import TONES
from payments.models import RefundRequest


@admin.register(RefundRequest)
class RefundRequestAdmin(FindsByPerson):
    is_of_books = True
    exact = ("stripe_refund_id",)
    person = "payment__supporter"
    page_related = ("payment__supporter", "actor")
    list_display = (
        columns.number,
        columns.person_column("payment.supporter"),
        column(gettext_lazy("amount"))(lambda row: columns.amount(row.amount, row.payment.currency)),
        columns.state_column("state", gettext_lazy("state"), TONES),
        "reason",
        column(gettext_lazy("payment"))(lambda row: columns.link(row.payment)),
        columns.moment_column("requested_at", gettext_lazy("asked")),
        "actor",
    )
    list_filter = ("state", "reason", "requested_at", OnePayment)
    list_select_related = ("payment__supporter", "actor")

    def facts(self, row: RefundRequest) -> list[Fact]:
        return [
            (_("Supporter"), columns.person(row.payment.supporter)),
            (_("Payment"), columns.link(row.payment)),
            (_("Amount"), columns.amount(row.amount, row.payment.currency)),
            (_("State"), columns.tinted(row, "state", TONES)),
            (_("Reason"), row.get_reason_display()),
            (_("Our sentence"), row.sentence or NONE),
            (_("Supporter told"), _("yes") if row.tells_supporter else _("no")),
            (_("Asked"), columns.moment(row.requested_at)),
            (_("Asked by"), row.actor or _("the software")),
            (_("Error"), row.error or NONE),
            (_("Refund at Stripe"), columns.code(row.stripe_refund_id)),
        ]
