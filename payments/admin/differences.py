"""The desk's list of differences between our database and Stripe, with the acts that close them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.acts import differences as difference_acts
from payments.desk.acts.differences import LeaveDifference, TakeStripeValue, effects
from payments.desk.columns import NONE
from payments.desk.filters import Openness
from payments.desk.pages import DeskAdmin, Fact
from payments.desk.tables.differences import (
    TONES,
    field,
    kind,
    kind_and_id,
    our_row,
    our_value,
    stripe_object,
    stripe_value,
)
from payments.models import Difference


@admin.register(Difference)
class DifferenceAdmin(DeskAdmin):
    acts = (TakeStripeValue(), LeaveDifference())
    page_related = ("settled_by",)
    list_display = (
        columns.number,
        kind_and_id,
        field,
        our_value,
        stripe_value,
        columns.state_column("state", gettext_lazy("state"), TONES),
        columns.moment_column("found_at", gettext_lazy("found")),
    )
    list_filter = (Openness, "found_at")
    search_fields = ("=stripe_id",)
    search_help_text = gettext_lazy("Stripe’s id, such as ch_… or sub_…")
    actions = ("take_chosen",)

    def has_take_permission(self, request: HttpRequest) -> bool:
        return self.may_act(request)

    @admin.action(description=gettext_lazy("Take Stripe’s for the chosen"), permissions=["take"])
    def take_chosen(self, request: HttpRequest, queryset: QuerySet[Difference]) -> HttpResponse | None:
        """Ask first, then take Stripe's value for the chosen differences; skip those that cannot be taken.

        With "all of the list" ticked, redirect to `take_all`, whose address holds the filter.
        """
        if request.POST.get("select_across") == "1":
            return HttpResponseRedirect(f"{reverse('admin:payments_difference_take_all')}?{request.GET.urlencode()}")
        rows = difference_acts.takable(queryset)
        if rows and "confirmed" not in request.POST:
            return TemplateResponse(request, "staff/act_on_many.html", self._confirmation(request, rows))
        difference_acts.take(self, request, rows, queryset.count())
        return None

    def take_all(self, request: HttpRequest) -> HttpResponse:
        """Ask about, then take, all differences that the list's filter finds. Raises PermissionDenied."""
        if not self.may_act(request):
            raise PermissionDenied
        back, found = reverse("admin:payments_difference_changelist"), self.found_by_filter(request)
        if found is None:
            return HttpResponseRedirect(back)
        return difference_acts.all_of(self, request, found, f"{back}?{request.GET.urlencode()}")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.take_all)
        return [path("take-all/", view, name="payments_difference_take_all"), *super().get_urls()]

    def _confirmation(self, request: HttpRequest, rows: list[Difference]) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": _("Take Stripe’s"),
            "opts": self.opts,
            "question": difference_acts.question(len(rows)),
            "consequences": effects(),
            "ids": [row.pk for row in rows],
            "action": "take_chosen",
            "button": _("Take Stripe’s"),
        }

    def facts(self, row: Difference) -> list[Fact]:
        return [
            (_("What"), kind(row)),
            (_("Field"), field(row)),
            (_("Our books"), our_value(row)),
            (_("Stripe"), stripe_value(row)),
            (_("State"), columns.tinted(row, "state", TONES)),
            (_("At Stripe"), stripe_object(row)),
            (_("In our books"), columns.link(our_row(row))),
            (_("When it happened"), columns.moment(row.happened_at)),
            (_("Found"), columns.moment(row.found_at)),
            (_("Last seen"), columns.moment(row.seen_at)),
            (_("Settled"), columns.moment(row.settled_at)),
            (_("Settled by"), row.settled_by or NONE),
            (_("Note"), row.note or NONE),
        ]
