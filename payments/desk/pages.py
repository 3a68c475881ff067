"""What all of the desk's lists and pages share: nothing is added, edited or deleted here, by anybody.

A list is Django's; a page is ours: facts, then tables. What may be done to a row is an act (acts/).
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
from payments.desk.acts.page import ActingAdmin

Fact = tuple[object, object]
MANY = 50_000


@dataclass(frozen=True)
class Table:
    """A part of a page. `more` is the address of the full list, when the table shows only its newest rows."""

    title: object
    head: Sequence[object]
    rows: Sequence[Sequence[object]]
    more: str = ""
    empty: object = ""


@dataclass(frozen=True)
class Text:
    """A part of a page that is one piece of text, shown as it is."""

    title: object
    text: str


Part = Table | Text


def is_list(request: HttpRequest) -> bool:
    """Whether a list is asked for, not one row: a list leaves large columns where they are."""
    return request.resolver_match is not None and str(request.resolver_match.url_name).endswith("_changelist")


class EstimatingPaginator(Paginator):
    """Counts exactly, except a whole large table: there PostgreSQL's own estimate is enough, and instant."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if isinstance(rows, QuerySet) and not rows.query.where and not rows.query.distinct:
            estimated = _estimate(rows.model._meta.db_table)
            if estimated > MANY:
                return estimated
        return len(rows) if isinstance(rows, list) else rows.count()


def _estimate(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        return int(cursor.fetchone()[0])


class DeskAdmin(ActingAdmin):
    """A model that staff look at. Subclasses say `facts` and `parts`; `acts` may add what can be done."""

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
        """All rows that the list's filter in the address finds; None when the address is mangled."""
        if holds_nul(request):
            return None
        try:
            return self.get_changelist_instance(request).get_queryset(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup, ValueError):
            return None

    def facts(self, row: Any) -> list[Fact]:
        """What a page says first: names and values."""
        return []

    def parts(self, row: Any) -> list[Part]:
        """What a page says below its facts."""
        return []

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Everything the page's template needs to know about a row."""
        return {"facts": self.facts(row), "parts": self.parts(row)}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self.gone(request, object_id)
        acts = [act for act in self.acts if self.may_do(request, act) and act.is_open(row)]
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
