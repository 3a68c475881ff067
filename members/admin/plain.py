"""What all admin lists share: no counting of whole tables, no error for a mangled address, and no question to the
database but those that the list's own filters ask.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

# What Django's own filters of a field add to its name: choices, yes and no, dates, rows of another model.
OWN_LOOKUPS = ("__exact", "__isnull", "__gte", "__lt", "__id__exact")


class PlainAdmin(admin.ModelAdmin):
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if holds_nul(request) or not self._are_keys(request.POST.getlist(ACTION_CHECKBOX_NAME)):
            return HttpResponseRedirect(request.path)
        try:
            return super().changelist_view(request, extra_context)
        except DisallowedModelAdminLookup:
            return HttpResponseRedirect(request.path)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what the list's filters ask. Any other question, such as how a text begins, would read letter by letter
        what no page shows.
        """
        return any(lookup in _asked_by(each) for each in self.get_list_filter(request))

    def _are_keys(self, ticked: list[str]) -> bool:
        try:
            for each in ticked:
                self.opts.pk.clean(each, None)
        except ValidationError:
            return False
        return True


def may_see(user: User | AnonymousUser, model: type[Model]) -> bool:
    """Whether somebody may look at rows of this kind, on their own pages or on another's."""
    name = f"{model._meta.app_label}.{{}}_{model._meta.model_name}"
    return user.has_perm(name.format("view")) or user.has_perm(name.format("change"))


def holds_nul(request: HttpRequest) -> bool:
    """Whether a value holds what PostgreSQL has in no text."""
    sent = (*request.GET.lists(), *request.POST.lists())
    return any("\0" in value for _name, values in sent for value in values)


def _asked_by(list_filter: Any) -> tuple[str, ...]:
    """The parameters of an address that a filter of a list reads."""
    if isinstance(list_filter, str):
        return tuple(f"{list_filter}{lookup}" for lookup in OWN_LOOKUPS)
    return (list_filter.parameter_name,)


class ReadOnlyAdmin(PlainAdmin):
    """Rows that rules write: staff look at them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may_see(request.user, self.model)
