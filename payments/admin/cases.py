"""The desk's list of cases: situations that the software noticed and a person decides. Acts close them."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.acts.cases import CloseCase
from payments.desk.acts.duplicates import RefundOne, RefundUnmeant, RefundWarned, StopOneAndRefund
from payments.desk.columns import NONE
from payments.desk.filters import OneSupporter, Openness
from payments.desk.pages import Fact
from payments.desk.search import FindsByPerson
from payments.desk.tables.cases import NAMES, case_state, linked
from payments.models import Case

DUPLICATES = (StopOneAndRefund(), RefundOne(), RefundUnmeant(), RefundWarned())


@admin.register(Case)
class CaseAdmin(FindsByPerson):
    acts = (*DUPLICATES, CloseCase())
    page_related = ("supporter", "settled_by")
    list_display = (
        columns.number,
        "kind",
        case_state,
        columns.person_column(),
        columns.moment_column("opened_at", gettext_lazy("noticed")),
        columns.moment_column("settled_at", gettext_lazy("settled")),
        "settled_by",
    )
    list_filter = (Openness, "kind", "opened_at", OneSupporter)
    list_select_related = ("supporter", "settled_by")

    def facts(self, row: Case) -> list[Fact]:
        return [
            (_("What"), row.get_kind_display()),
            (_("State"), case_state(row)),
            (_("Supporter"), columns.person(row.supporter)),
            (_("Noticed"), columns.moment(row.opened_at)),
            *((NAMES.get(name, name), linked(name, value)) for name, value in row.facts.items()),
            *((_("To be done"), why) for act in DUPLICATES if (why := act.why_not(row))),
            (_("Settled"), columns.moment(row.settled_at)),
            (_("Settled by"), row.settled_by or NONE),
            (_("How it was settled"), row.note or NONE),
        ]
