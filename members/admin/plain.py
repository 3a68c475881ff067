"""What the plain admin pages of the lower floors share: no counting of whole tables, no error for a mangled address."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect


class PlainAdmin(admin.ModelAdmin):
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if any("\0" in value for value in request.GET.values()):
            return HttpResponseRedirect(request.path)  # PostgreSQL has no NUL in texts
        return super().changelist_view(request, extra_context)


class ReadOnlyAdmin(PlainAdmin):
    """Rows that rules write: staff look at them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        name = f"{self.opts.app_label}.{{}}_{self.opts.model_name}"
        return request.user.has_perm(name.format("view")) or request.user.has_perm(name.format("change"))
