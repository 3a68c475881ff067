"""Memberships at the staff desk, read-only: payments create, renew and end them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from members.admin.plain import ReadOnlyAdmin
from members.models import Level, Membership
from members.staff import viewing

TONES = {
    Membership.State.ACTIVE: "good",
    Membership.State.GRACE: "late",
    Membership.State.LAPSED: "over",
    Membership.State.ENDED: "over",
}


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = _("state today"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return Membership.State.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Membership]:
        value = self.value()
        return queryset.in_state(value) if value in Membership.State.values else queryset


class LevelFilter(admin.SimpleListFilter):
    title, parameter_name = _("level"), "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [(level.slug, level.name()) for level in Level.objects.prefetch_related("names")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> QuerySet[Membership]:
        return queryset.filter(level__slug=self.value()) if self.value() else queryset


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("number", "supporter", "level_name", "state_today", "starts_on", "paid_through", "ended_on")
    list_display_links = ("number",)
    list_filter = (StateFilter, LevelFilter)
    list_select_related = ("supporter", "level")
    person = "supporter"
    searches_people = True
    search_fields = ("supporter__email",)
    search_help_text = _("A part of the supporter's address.")
    sortable_by = ()
    fields = (
        "supporter",
        "level_name",
        "state_today",
        "starts_on",
        "paid_through",
        "grace_through",
        "ended_on",
        "source",
    )
    readonly_fields = ("level_name", "state_today")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("level__names")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return self.search_fields if viewing.sees_people(request.user) else ()

    @admin.display(description=_("number"))
    def number(self, row: Membership) -> str:
        return f"#{row.pk}"

    @admin.display(description=_("level"))
    def level_name(self, row: Membership) -> str:
        return row.level.name()

    @admin.display(description=_("state today"))
    def state_today(self, row: Membership) -> SafeString:
        return format_html('<span class="state {}">{}</span>', TONES[row.state], row.state.label)
