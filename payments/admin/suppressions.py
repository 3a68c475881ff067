"""The desk's list of suppressed addresses: why and since when nothing is sent to them, and lifting that."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import DeliveryReport, Supporter, Suppression
from payments.desk import columns
from payments.desk.acts.suppressions import LiftSuppression
from payments.desk.columns import BAD, OVER, column
from payments.desk.pages import Fact, Part, Table
from payments.desk.search import FindsByPerson

NEWEST = 50


@column(gettext_lazy("state"))
def suppression_state(row: Suppression) -> SafeString:
    return columns.state(_("lifted"), OVER) if row.lifted_at else columns.state(_("gets nothing"), BAD)


@admin.register(Suppression)
class SuppressionAdmin(FindsByPerson):
    acts = (LiftSuppression(),)
    person, typed_email = "", "email"
    list_display = (
        columns.number,
        "email",
        suppression_state,
        "reason",
        columns.moment_column("since", gettext_lazy("since")),
        columns.moment_column("lifted_at", gettext_lazy("lifted")),
    )
    list_filter = ("reason", "since")

    def of_persons(self, term: str) -> Q:
        return Q(email__icontains=term)

    def facts(self, row: Suppression) -> list[Fact]:
        return [
            (_("Address"), row.email),
            (_("State"), suppression_state(row)),
            (_("Reason"), row.get_reason_display()),
            (_("Supporter"), columns.person(Supporter.objects.with_email(row.email).first())),
            (_("Since"), columns.moment(row.since)),
            (_("Lifted"), columns.moment(row.lifted_at)),
        ]

    def parts(self, row: Suppression) -> list[Part]:
        reports = DeliveryReport.objects.filter(message__to_email__iexact=row.email).select_related("message")
        return [report_table(reports[:NEWEST])]


def report_table(rows: object) -> Table:
    """Return the mail provider's delivery reports as a table, in the given order."""
    head = (_("Message"), _("Told"), _("In the provider’s words"), _("When"))
    found = [
        (
            columns.link(row.message, row.message.kind),
            row.get_what_display(),
            row.words or columns.NONE,
            columns.moment(row.happened_at),
        )
        for row in rows  # type: ignore[attr-defined]
    ]
    return Table(_("What the mail provider told"), head, found, empty=_("It has told nothing."))
