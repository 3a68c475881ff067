"""The desk's list of what was removed by age: one row a night, with how many rows each rule dealt with."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.columns import column
from payments.desk.pages import DeskAdmin, Fact
from payments.models import RetentionRun

WORDS = {
    "checkouts": gettext_lazy("Attempts to give without money"),
    "letters": gettext_lazy("Words of emails"),
    "delivery_reports": gettext_lazy("Reports of the mail provider"),
    "events": gettext_lazy("Payloads of Stripe’s events"),
    "sign_in_failures": gettext_lazy("Failed sign-ins"),
    "sign_in_attempts": gettext_lazy("Sign-ins that were tried"),
    "sign_ins": gettext_lazy("Sign-ins"),
    "sessions": gettext_lazy("Sessions that had ended"),
}


@column(gettext_lazy("removed"))
def removed(row: RetentionRun) -> int:
    return sum(row.counts.values())


@admin.register(RetentionRun)
class RetentionRunAdmin(DeskAdmin):
    list_display = (
        columns.number,
        removed,
        columns.moment_column("started_at", gettext_lazy("started")),
        columns.moment_column("finished_at", gettext_lazy("finished")),
    )
    list_filter = ("started_at",)

    def facts(self, row: RetentionRun) -> list[Fact]:
        return [
            (_("Started"), columns.moment(row.started_at)),
            (_("Finished"), columns.moment(row.finished_at)),
            *((WORDS.get(name, name), count) for name, count in row.counts.items()),
        ]
