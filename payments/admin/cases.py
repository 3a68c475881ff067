"""Cases at the desk: what the software noticed and a person decides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments import cases
from payments.desk import columns
from payments.desk.acts.act import Act
from payments.desk.acts.duplicates import RefundOne, RefundUnmeant, StopOneAndRefund
from payments.desk.columns import GOOD, LATE, NONE, column
from payments.desk.filters import OneSupporter, Openness
from payments.desk.pages import Fact, Table
from payments.desk.search import FindsByPerson
from payments.errors import AlreadySettled
from payments.models import Case, Dispute, Payment, Payout, Refund, Subscription


class SettleForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("How it was settled"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One or two sentences for whoever looks at it next year."),
    )


class SettleCase(Act):
    slug = "settle"
    label = gettext_lazy("Settle this case")
    form_class = SettleForm
    problems = (AlreadySettled,)

    def is_open(self, row: Case) -> bool:
        return row.settled_at is None

    def question(self, row: Case) -> str:
        return _("How was “%(what)s” settled?") % {"what": row.get_kind_display()}

    def consequences(self, row: Case) -> list[object]:
        first = _("The case leaves the list of open ones. Your note and your name stay with it.")
        return [first, _("Nothing happens at Stripe: stop or refund there what has to be, before you settle.")]

    def perform(self, row: Case, answers: dict[str, Any], actor: User) -> str:
        cases.settle(row, actor, answers["note"])
        return _("The case is settled.")

    def sorry(self, problem: Exception) -> str:
        return _("Somebody settled this case a moment ago. Go back to read their note.")


@column(gettext_lazy("state"))
def case_state(row: Case) -> SafeString:
    return columns.state(_("settled"), GOOD) if row.settled_at else columns.state(_("open"), LATE)


DUPLICATES = (StopOneAndRefund(), RefundOne(), RefundUnmeant())


@admin.register(Case)
class CaseAdmin(FindsByPerson):
    acts = (*DUPLICATES, SettleCase())
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


NAMES = {
    "payment": gettext_lazy("Payment"),
    "payments": gettext_lazy("Payments"),
    "subscription": gettext_lazy("Subscription"),
    "subscriptions": gettext_lazy("Subscriptions"),
    "agreed": gettext_lazy("Agreed"),
    "taken": gettext_lazy("Taken by Stripe"),
    "taken_back": gettext_lazy("Taken back"),
    "renews_on": gettext_lazy("Renews on"),
    "amount": gettext_lazy("Amount"),
    "reason": gettext_lazy("Reason"),
    "refund": gettext_lazy("Refund"),
    "dispute": gettext_lazy("Dispute"),
    "invoice": gettext_lazy("Invoice at Stripe"),
    "problem": gettext_lazy("Problem"),
    "customer": gettext_lazy("Customer at Stripe"),
    "payout": gettext_lazy("Payout"),
    "unexplained": gettext_lazy("Unexplained"),
    "missing": gettext_lazy("Missing in our books"),
    "lines": gettext_lazy("Lines that are missing"),
}
ROWS: dict[str, type[Model]] = {
    "payment": Payment, "payments": Payment, "subscription": Subscription, "subscriptions": Subscription,
    "refund": Refund, "dispute": Dispute, "payout": Payout,
}  # fmt: skip


def linked(name: str, value: object) -> object:
    """A fact's value: numbers of rows lead to them, an amount with its currency reads as one."""
    values = value if isinstance(value, list) else [value]
    if len(values) == 2 and isinstance(values[0], int) and isinstance(values[1], str):
        return columns.amount(values[0], values[1])
    numbers: list[int] = [number for number in values if isinstance(number, int)]
    if name in ROWS:
        return linked_rows(ROWS[name](pk=number) for number in numbers)
    return value


def linked_rows(rows: Iterable[Model]) -> SafeString:
    return format_html_join(", ", "{}", ((columns.link(row),) for row in rows))


def case_table(rows: Any) -> Table:
    head = [_("Case"), _("State"), _("Noticed"), _("Note")]
    shown = [[columns.link(row), case_state(row), columns.moment(row.opened_at), row.note or NONE] for row in rows]
    return Table(_("Cases"), head, shown, empty=_("None."))
