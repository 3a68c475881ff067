"""The base of the desk's lists and pages. Nobody, not even a superuser, adds, edits or deletes rows here.

A list is Django's changelist. The page of a row has its own template: facts, then tables and texts. Actions on a row
are acts (payments/desk/acts/). The subclasses are in payments/admin/.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property

from members.admin.plain import holds_nul
from payments.desk.acts.act import Act
from payments.desk.acts.page import ActingAdmin

Fact = tuple[object, object]
ESTIMATE_ABOVE = 50_000


@dataclass(frozen=True)
class Table:
    """A table on a page. `more`: address of the full list, if only its newest rows are shown; `empty`: for no rows."""

    title: object
    head: Sequence[object]
    rows: Sequence[Sequence[object]]
    more: str = ""
    empty: object = ""


@dataclass(frozen=True)
class Text:
    """A block of text on a page, shown unchanged."""

    title: object
    text: str


Part = Table | Text


def is_list(request: HttpRequest) -> bool:
    """Return whether a list is requested, not one row: lists do not read large columns."""
    return request.resolver_match is not None and str(request.resolver_match.url_name).endswith("_changelist")


class EstimatingPaginator(Paginator):
    """Count rows exactly, except in an unfiltered large table: there PostgreSQL's estimate is instant and enough."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if isinstance(rows, QuerySet) and not rows.query.where and not rows.query.distinct:
            estimated = _estimate(rows.model._meta.db_table)
            if estimated > ESTIMATE_ABOVE:
                return estimated
        return len(rows) if isinstance(rows, list) else rows.count()


def _estimate(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        return int(cursor.fetchone()[0])


class DeskAdmin(ActingAdmin):
    """The admin of a model that staff can only view. Subclasses override `facts` and `parts`, and may set `acts`.

    `page_related` names the relations to fetch for the page of a row.
    """

    paginator = EstimatingPaginator
    sortable_by = ()
    page_related: tuple[str, ...] = ()
    page_template = "staff/page.html"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None and self.page_related:
            prefetch_related_objects([row], *self.page_related)
        return row

    def found_by_filter(self, request: HttpRequest) -> QuerySet[Any] | None:
        """Return all rows that the list's filter in the address finds; None if the address is malformed."""
        if holds_nul(request):
            return None
        try:
            return self.get_changelist_instance(request).get_queryset(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup, ValueError):
            return None

    def is_offered(self, request: HttpRequest, act: Act, row: Any) -> bool:
        return self.may_do(request, act) and self.may_do_to(request, act, row) and act.is_open(row)

    def facts(self, row: Any) -> list[Fact]:
        """Return the names and values at the top of a row's page."""
        return []

    def parts(self, row: Any) -> list[Part]:
        """Return the tables and texts below the facts."""
        return []

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return the context about a row for the page's template."""
        return {"facts": self.facts(row), "parts": self.parts(row)}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a row with the acts that are open to this user, in place of Django's form. Raises PermissionDenied."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self.redirect_missing(request, object_id)
        if self.person_of(row) or self.typed_email:
            self.log_act(request, row, "viewed")
        acts = [act for act in self.acts if self.is_offered(request, act, row)]
        context = {
            **self.admin_site.each_context(request),
            "title": f"{self.opts.verbose_name} {row}",
            "opts": self.opts,
            "row": row,
            "acts": acts,
            **self.page(request, row),
            **(extra_context or {}),
        }
        return TemplateResponse(request, self.page_template, context)
