"""Base classes of all admin lists: no counting of whole tables, no errors for mangled addresses, and no filters in the
address other than the list's own. Used by the admin pages of all apps.
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

# The lookups that Django's filters add to a field's name: for choices, booleans, dates and foreign keys.
OWN_LOOKUPS = ("__exact", "__isnull", "__gte", "__lt", "__id__exact")


class PlainAdmin(admin.ModelAdmin):
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if holds_nul(request) or not self._are_valid_keys(request.POST.getlist(ACTION_CHECKBOX_NAME)):
            return HttpResponseRedirect(request.path)
        try:
            return super().changelist_view(request, extra_context)
        except DisallowedModelAdminLookup:
            return HttpResponseRedirect(request.path)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Return whether one of the list's own filters uses this lookup.

        Others are refused: with `name__startswith`, say, one could guess hidden values letter by letter.
        """
        return any(lookup in _lookups_of(each) for each in self.get_list_filter(request))

    def _are_valid_keys(self, ticked: list[str]) -> bool:
        """Return whether all ticked values could be primary keys of this model."""
        try:
            for each in ticked:
                self.opts.pk.clean(each, None)
        except ValidationError:
            return False
        return True


def may_see(user: User | AnonymousUser, model: type[Model]) -> bool:
    """Return whether a user has the permission to view or to change rows of this model."""
    name = f"{model._meta.app_label}.{{}}_{model._meta.model_name}"
    return user.has_perm(name.format("view")) or user.has_perm(name.format("change"))


def holds_nul(request: HttpRequest) -> bool:
    """Return whether a GET or POST value contains NUL, which PostgreSQL does not accept in text."""
    sent = (*request.GET.lists(), *request.POST.lists())
    return any("\0" in value for _name, values in sent for value in values)


def _lookups_of(list_filter: Any) -> tuple[str, ...]:
    """Return the query parameters that a list filter reads."""
    if isinstance(list_filter, str):
        return tuple(f"{list_filter}{lookup}" for lookup in OWN_LOOKUPS)
    return (list_filter.parameter_name,)


class ReadOnlyAdmin(PlainAdmin):
    """A list of rows that only the software writes; staff can view them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may_see(request.user, self.model)
