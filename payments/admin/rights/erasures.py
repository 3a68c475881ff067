"""The desk's list of erasures: who asked, who confirmed, and whether Stripe has answered."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.columns import BAD, GOOD, LATE, NONE, OVER, column
from payments.desk.pages import DeskAdmin, Fact, Part, Table
from payments.desk.rights.acts import CallOffErasing, ConfirmErasing
from payments.models import Erasure

State = Erasure.State
TONES = {
    State.ASKED: LATE,
    State.PLANNED: LATE,
    State.AT_STRIPE: BAD,
    State.DONE: GOOD,
    State.CALLED_OFF: OVER,
}


@admin.register(Erasure)
class ErasureAdmin(DeskAdmin):
    acts = (ConfirmErasing(), CallOffErasing())
    page_related = ("supporter", "requested_by", "confirmed_by")
    list_display = (
        columns.number,
        columns.person_column("supporter"),
        columns.state_column("state", gettext_lazy("state"), TONES),
        column(gettext_lazy("asked by"))(lambda row: row.requested_by or row.surface),
        column(gettext_lazy("confirmed by"))(lambda row: row.confirmed_by or NONE),
        columns.moment_column("due_at", gettext_lazy("due")),
        columns.moment_column("done_at", gettext_lazy("done")),
    )
    list_filter = ("state", "requested_at")
    list_select_related = ("supporter", "requested_by", "confirmed_by")

    def facts(self, row: Erasure) -> list[Fact]:
        return [
            (_("Supporter"), columns.person(row.supporter)),
            (_("State"), columns.tinted(row, "state", TONES)),
            (_("Asked by"), row.requested_by or row.surface),
            (_("Asked"), columns.moment(row.requested_at)),
            (_("Confirmed by"), row.confirmed_by or NONE),
            (_("Due"), columns.moment(row.due_at)),
            (_("Erased here"), columns.moment(row.forgotten_at)),
            (_("Done"), columns.moment(row.done_at)),
        ]

    def parts(self, row: Erasure) -> list[Part]:
        rows = [
            (columns.code(each.stripe_customer_id), each.get_state_display(), each.error or NONE)
            for each in row.deletions.all()
        ]
        return [Table(_("Customers at Stripe"), (_("Customer"), _("State"), _("Error")), rows, empty=_("None."))]
