"""The desk's list of reconciliation runs, which compare us with Stripe, and the differences that each found."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.columns import BAD, GOOD, LATE, NONE, OVER, column
from payments.desk.pages import DeskAdmin, Fact, Part, Table
from payments.desk.tables.differences import TONES, field, kind, our_value, stripe_value
from payments.models import Difference, Reconciliation


@column(gettext_lazy("state"))
def run_state(row: Reconciliation) -> SafeString:
    if row.error:
        return columns.state(_("stopped"), BAD)
    if row.finished_at is None:
        return columns.state(_("not finished"), OVER)
    if row.found and row.kind != row.Kind.EVENTS:
        return columns.state(_("differences found"), LATE)
    return columns.state(_("complete"), GOOD)


@admin.register(Reconciliation)
class ReconciliationAdmin(DeskAdmin):
    list_display = (
        columns.number,
        "kind",
        run_state,
        columns.moment_column("started_at", gettext_lazy("started")),
        columns.moment_column("since", gettext_lazy("from")),
        columns.moment_column("until", gettext_lazy("until")),
        "looked_at",
        "found",
    )
    list_filter = ("kind", "started_at")

    def facts(self, row: Reconciliation) -> list[Fact]:
        return [
            (_("What"), row.get_kind_display()),
            (_("State"), run_state(row)),
            (_("From"), columns.moment(row.since)),
            (_("Until"), columns.moment(row.until)),
            (_("Started"), columns.moment(row.started_at)),
            (_("Finished"), columns.moment(row.finished_at)),
            (_("Looked at"), row.looked_at),
            (_("Found"), row.found),
            (_("Error"), row.error or NONE),
        ]

    def parts(self, row: Reconciliation) -> list[Part]:
        if row.kind == row.Kind.EVENTS or row.finished_at is None:
            return []
        found = Difference.objects.filter(found_at__range=(row.started_at, row.finished_at))[:100]
        head = [_("Difference"), _("What"), _("Field"), _("Our books"), _("Stripe"), _("State")]
        rows = [
            [
                columns.link(each),
                kind(each),
                field(each),
                our_value(each),
                stripe_value(each),
                columns.tinted(each, "state", TONES),
            ]
            for each in found
        ]
        return [Table(_("New differences"), head, rows, empty=_("None."))]
