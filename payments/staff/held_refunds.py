"""The desk's list of refunds above the limit, which wait until a second colleague confirms them."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.columns import GOOD, LATE, NONE, OVER, column
from payments.desk.filters import OnePayment
from payments.desk.pages import Fact
from payments.desk.search import FindsByPerson
from payments.models import HeldRefund
from payments.staff.held_refund_acts import ConfirmRefund, DeclineRefund

TONES = {
    HeldRefund.State.WAITING: LATE,
    HeldRefund.State.CONFIRMED: GOOD,
    HeldRefund.State.DECLINED: OVER,
}


@admin.register(HeldRefund)
class HeldRefundAdmin(FindsByPerson):
    is_of_books = True
    acts = (ConfirmRefund(), DeclineRefund())
    person = "payment__supporter"
    page_related = ("payment__supporter", "asked_by", "decided_by")
    list_display = (
        columns.number,
        columns.person_column("payment.supporter"),
        column(gettext_lazy("amount"))(lambda row: columns.amount(row.amount, row.payment.currency)),
        columns.state_column("state", gettext_lazy("state"), TONES),
        "asked_by",
        columns.moment_column("asked_at", gettext_lazy("asked")),
        "decided_by",
    )
    list_filter = ("state", "asked_at", OnePayment)
    list_select_related = ("payment__supporter", "asked_by", "decided_by")

    def facts(self, row: HeldRefund) -> list[Fact]:
        return [
            (_("Supporter"), columns.person(row.payment.supporter)),
            (_("Payment"), columns.link(row.payment)),
            (_("Amount"), columns.amount(row.amount, row.payment.currency)),
            (_("State"), columns.tinted(row, "state", TONES)),
            (_("Reason"), row.get_reason_display()),
            (_("Our sentence"), row.sentence or NONE),
            (_("Supporter told"), _("yes") if row.tells_supporter else _("no")),
            (_("The regular gift stops"), _("yes") if row.also_stops else _("no")),
            (_("Asked by"), row.asked_by),
            (_("Asked"), columns.moment(row.asked_at)),
            (_("Decided by"), row.decided_by or NONE),
            (_("Decided"), columns.moment(row.decided_at)),
        ]
