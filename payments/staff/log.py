"""The log of staff in words, for owners: who did or read what, when, and about which row. Nobody changes it.

The rows hold ids only; names of colleagues and links to rows are found when the page is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import StaffLogEntry, Supporter
from payments.desk import columns
from payments.desk.acts.page import ActingAdmin
from payments.desk.columns import NONE, column
from payments.desk.filters import OneOnly
from payments.desk.pages import DeskAdmin, Fact

WORDS: dict[str, Any] = {
    "session.began": gettext_lazy("Signed in"),
    "session.ended_everywhere": gettext_lazy("Signed out everywhere"),
    "factor.set": gettext_lazy("Set a second factor"),
    "factor.refused": gettext_lazy("Gave a wrong code at sign-in"),
    "factor.codes_renewed": gettext_lazy("Made new recovery codes"),
    "factor.removed": gettext_lazy("Removed their second factor"),
    "step_up.refused": gettext_lazy("Gave a wrong code or password before an act"),
    "people.searched": gettext_lazy("Searched for a person"),
    "colleague.invited": gettext_lazy("Invited a colleague"),
    "colleague.joined": gettext_lazy("Accepted an invitation"),
    "colleague.factor_reset": gettext_lazy("Second factor reset on the server"),
    "person.exported": gettext_lazy("Exported a person"),
    "person.erased": gettext_lazy("Erased a person"),
    "password.changed": gettext_lazy("Changed their password"),
    "stripeevent.retry_many": gettext_lazy("Worked events again"),
    "apikey.created": gettext_lazy("Made a key"),
    "apikey.revoked": gettext_lazy("Revoked a key"),
    "refund.held": gettext_lazy("Asked a colleague to confirm a refund"),
}
# Acts that every kind of row may have.
OF_ANY = {
    "viewed": gettext_lazy("Looked at it"),
    "read": gettext_lazy("Read it"),
    "added": gettext_lazy("Added it"),
    "changed": gettext_lazy("Changed it"),
    "deleted": gettext_lazy("Deleted it"),
}


class OnePerson(OneOnly):
    title, parameter_name, field = gettext_lazy("person"), "person", "person"


class OneActor(OneOnly):
    title, parameter_name, field = gettext_lazy("colleague"), "actor", "actor"


class Kind(admin.SimpleListFilter):
    title, parameter_name = gettext_lazy("kind"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("reads", _("reads")), ("searches", _("searches")), ("acts", _("acts")), ("sign-ins", _("sign-ins"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        reads = queryset.filter(action__regex=r"\.(viewed|read)$")
        searches, signs = queryset.filter(action="people.searched"), r"^(session|factor|step_up)\."
        if self.value() == "acts":
            return queryset.exclude(action__regex=rf"\.(viewed|read|searched)$|{signs}")
        return {"reads": reads, "searches": searches, "sign-ins": queryset.filter(action__regex=signs)}.get(
            self.value() or "", queryset
        )


def action_in_words(action: str) -> str:
    """Return what an action was, in the words of the act's own button where it has one; else as it is stored."""
    if action in WORDS:
        return str(WORDS[action])
    noun, _dot, verb = action.partition(".")
    for model, page in admin.site._registry.items():
        if model._meta.model_name == noun and isinstance(page, ActingAdmin):
            for act in page.acts:
                if act.slug == verb:
                    return str(act.label)
    return str(OF_ANY.get(verb, action))


@column(gettext_lazy("what"))
def what(row: StaffLogEntry) -> str:
    return action_in_words(row.action)


@column(gettext_lazy("about"))
def about(row: StaffLogEntry) -> str | SafeString:
    """Return the kind and the number of the row that an entry is about, as a link where the desk has its page."""
    if not row.target:
        return NONE
    model = apps.get_model(row.target)
    words = f"{model._meta.verbose_name} {row.target_id}"
    try:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.target_id])
    except NoReverseMatch:
        return words
    return format_html('<a href="{}">{}</a>', address, words)


@column(gettext_lazy("person"))
def whom(row: StaffLogEntry) -> str | SafeString:
    return columns.link(Supporter(pk=row.person)) if row.person else NONE


@column(gettext_lazy("who"))
def who(row: Any) -> str:
    if row.actor is None:
        return _("on the server")
    return row.username or f"#{row.actor}"


@admin.register(StaffLogEntry)
class StaffLogAdmin(DeskAdmin):
    list_display = (columns.number, columns.moment_column("happened_at", gettext_lazy("when")), who, what, about, whom)
    list_filter = (Kind, "happened_at", OneActor, OnePerson)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffLogEntry]:
        name = User.objects.filter(pk=OuterRef("actor")).values("username")
        return super().get_queryset(request).annotate(username=Subquery(name))

    def facts(self, row: StaffLogEntry) -> list[Fact]:
        return [
            (_("When"), columns.moment(row.happened_at)),
            (_("Who"), who(row)),
            (_("What"), what(row)),
            (_("About"), about(row)),
            (_("Person"), whom(row)),
            *((columns.code(name), value) for name, value in row.details.items()),
            (_("Digest"), columns.code(row.digest)),
            (_("Digest before"), columns.code(row.previous)),
        ]
