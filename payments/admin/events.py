"""The desk's list of Stripe events: what was received, how it was processed, and processing it again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.acts import events as event_acts
from payments.desk.acts.events import ProcessAgain, ProcessNow
from payments.desk.columns import BAD, GOOD, LATE, NONE, OVER, column
from payments.desk.event_filters import EventAge, EventError, EventState, EventType
from payments.desk.pages import DeskAdmin, Fact, Part, Text, is_list
from payments.desk.tables.events import object_table
from payments.inbox.masking import masked, without_addresses
from payments.models import StripeEvent

TONES = {
    StripeEvent.State.PROCESSED: GOOD,
    StripeEvent.State.PENDING: LATE,
    StripeEvent.State.PARKED: LATE,
    StripeEvent.State.FAILED: BAD,
    StripeEvent.State.DEAD: BAD,
    StripeEvent.State.IGNORED: OVER,
    StripeEvent.State.FOREIGN: BAD,
}
FIRST_LINE = 80


@column(gettext_lazy("took"))
def latency(row: StripeEvent) -> str:
    """Return the real time from receiving an event to having processed it; a dash until then."""
    if row.processed_at is None:
        return NONE
    seconds = (row.processed_at - row.received_at).total_seconds()
    return _("%(seconds).1f s") % {"seconds": max(0.0, seconds)}


@column(gettext_lazy("error"))
def first_line(row: StripeEvent) -> str:
    """Return the error's first line, at most 80 characters, addresses masked; a dash if it is empty."""
    return without_addresses(row.error.partition("\n")[0])[:FIRST_LINE] or NONE


@column(gettext_lazy("state"))
def event_state(row: StripeEvent) -> SafeString:
    return columns.tinted(row, "state", TONES)


@admin.register(StripeEvent)
class StripeEventAdmin(DeskAdmin):
    acts = (ProcessNow(), ProcessAgain())
    actions = ("retry_chosen",)
    list_display = (
        "id",
        "type",
        event_state,
        "attempts",
        columns.moment_column("received_at", gettext_lazy("received")),
        latency,
        first_line,
    )
    list_filter = (EventState, EventType, EventError, EventAge, "is_sync")
    change_list_template = "staff/events.html"
    search_fields = ("id",)
    search_help_text = gettext_lazy("An event's id, or the start of a type such as invoice.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StripeEvent]:
        rows = super().get_queryset(request)
        return rows.defer("payload") if is_list(request) else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StripeEvent], term: str
    ) -> tuple[QuerySet[StripeEvent], bool]:
        term = term.strip()
        if not term:
            return queryset, False
        if queryset.filter(pk=term).order_by().exists():
            return queryset.filter(pk=term), False
        return queryset.filter(type__startswith=term), False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return self.may_act(request)

    @admin.action(description=gettext_lazy("Work the chosen events again"), permissions=["retry"])
    def retry_chosen(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> HttpResponse | None:
        """Ask first, then queue the chosen events to be processed again.

        With "all of the list" ticked, redirect to `process_filtered`, whose address holds the filter.
        """
        if request.POST.get("select_across") == "1":
            address = reverse("admin:payments_stripeevent_work_again")
            return HttpResponseRedirect(f"{address}?{request.GET.urlencode()}")
        if "confirmed" not in request.POST:
            chosen = request.POST.getlist("_selected_action")
            return event_acts.ask(self, request, queryset, chosen=chosen)
        event_acts.perform(request, queryset)
        return None

    def process_filtered(self, request: HttpRequest) -> HttpResponse:
        """Ask about, then queue again, all events that the list's filter finds. Raises PermissionDenied."""
        if not self.may_act(request):
            raise PermissionDenied
        back, found = reverse("admin:payments_stripeevent_changelist"), self.found_by_filter(request)
        if found is None:
            return HttpResponseRedirect(back)
        if request.method != "POST":
            return event_acts.ask(self, request, found)
        event_acts.perform(request, event_acts.as_asked(request, found))
        return HttpResponseRedirect(f"{back}?{request.GET.urlencode()}")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.process_filtered)
        return [path("work-again/", view, name="payments_stripeevent_work_again"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"may_act": self.may_act(request), **(extra_context or {})})

    def facts(self, row: StripeEvent) -> list[Fact]:
        return [
            (_("Type"), columns.code(row.type)),
            (_("State"), event_state(row)),
            (_("Tries"), row.attempts),
            (_("Failed by itself"), row.failures),
            (_("Next try"), columns.moment(row.next_try_at) if row.state in StripeEvent.WAITING else NONE),
            (_("Made by Stripe"), columns.moment(row.created_at)),
            (_("Received"), columns.moment(row.received_at)),
            (_("Worked"), columns.moment(row.processed_at)),
            (_("Took"), latency(row)),
            *([(_("Reduced to ids"), columns.moment(row.trimmed_at))] if row.trimmed_at else []),
            (_("Live"), _("yes") if row.is_livemode else _("no, a test")),
            (_("Our own read"), _("yes") if row.is_sync else _("no")),
            (_("API version"), row.api_version or NONE),
            (_("Account"), columns.code(row.account)),
        ]

    def parts(self, row: StripeEvent) -> list[Part]:
        payload = bytes(row.payload)
        shown = masked(payload)
        if shown is None:
            shown = _("%(count)d bytes that are not JSON.") % {"count": len(payload)}
        parts: list[Part] = [Text(_("Error"), without_addresses(row.error))] if row.error else []
        return [*parts, object_table(payload), Text(_("What Stripe said, personal details hidden"), shown)]
