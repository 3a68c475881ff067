"""Stripe's events at the desk: what came, what became of it, and working one again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from payments.admin import columns
from payments.admin.acts import Act
from payments.admin.columns import BAD, GOOD, LATE, NONE, OVER, column
from payments.admin.event_objects import object_table
from payments.admin.filters import STUCK, EventState
from payments.admin.pages import DeskAdmin, Fact, Part, Text, is_list
from payments.models import StripeEvent
from payments.webhooks import inbox
from payments.webhooks.masking import masked, without_addresses

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


class RetryEvent(Act):
    slug = "retry"
    label = gettext_lazy("Work it again now")

    def is_open(self, row: StripeEvent) -> bool:
        return row.state in STUCK

    def question(self, row: StripeEvent) -> str:
        return _("Work this event again?")

    def consequences(self, row: StripeEvent) -> list[object]:
        return promises()

    def perform(self, row: StripeEvent, answers: dict[str, Any], actor: User) -> str:
        inbox.retry([row.pk])
        return _("The event waits to be worked again. Reload this page in a few seconds.")


def promises() -> list[object]:
    """What working an event again does and does not do."""
    first = _("It is worked within seconds, with all its tries ahead of it.")
    return [first, _("What it did before is not done twice: no second payment, no second email.")]


@column(gettext_lazy("took"))
def latency(row: StripeEvent) -> str:
    """From receiving to working, in real time."""
    if row.processed_at is None:
        return NONE
    seconds = (row.processed_at - row.received_at).total_seconds()
    return _("%(seconds).1f s") % {"seconds": max(0.0, seconds)}


@column(gettext_lazy("error"))
def first_line(row: StripeEvent) -> str:
    return without_addresses(row.error.partition("\n")[0])[:FIRST_LINE] or NONE


@column(gettext_lazy("state"))
def event_state(row: StripeEvent) -> SafeString:
    return columns.tinted(row, "state", TONES)


@admin.register(StripeEvent)
class StripeEventAdmin(DeskAdmin):
    acts = (RetryEvent(),)
    actions = ("retry_chosen",)
    list_display = (
        "id", "type", event_state, "attempts",
        columns.moment_column("received_at", gettext_lazy("received")), latency, first_line,
    )  # fmt: skip
    list_filter = (EventState, "received_at", "is_sync")
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
        """Asks first; events that are worked already are left alone."""
        ids = list(queryset.filter(state__in=STUCK).order_by().values_list("pk", flat=True))
        if ids and "confirmed" not in request.POST:
            return TemplateResponse(request, "staff/act_on_many.html", self._confirmation(request, ids))
        count = inbox.retry(ids) if ids else 0
        told = ngettext("%(count)d event waits to be worked again.", "%(count)d events wait to be worked again.", count)
        messages.success(request, told % {"count": count})
        return None

    def _confirmation(self, request: HttpRequest, ids: list[str]) -> dict[str, Any]:
        question = ngettext("Work %(count)d event again?", "Work %(count)d events again?", len(ids))
        return {
            **self.admin_site.each_context(request),
            "title": _("Work events again"),
            "opts": self.opts,
            "question": question % {"count": len(ids)},
            "consequences": promises(),
            "ids": ids,
            "action": "retry_chosen",
            "button": _("Work them again now"),
        }

    def facts(self, row: StripeEvent) -> list[Fact]:
        return [
            (_("Type"), columns.code(row.type)),
            (_("State"), event_state(row)),
            (_("Tries"), row.attempts),
            (_("Next try"), columns.moment(row.next_try_at) if row.state in StripeEvent.WAITING else NONE),
            (_("Made by Stripe"), columns.moment(row.created_at)),
            (_("Received"), columns.moment(row.received_at)),
            (_("Worked"), columns.moment(row.processed_at)),
            (_("Took"), latency(row)),
            (_("Live"), _("yes") if row.is_livemode else _("no, a test")),
            (_("Our own read"), _("yes") if row.is_sync else _("no")),
            (_("API version"), row.api_version or NONE),
            (_("Account"), columns.code(row.account)),
        ]

    def parts(self, row: StripeEvent) -> list[Part]:
        payload = masked(bytes(row.payload))
        parts: list[Part] = [Text(_("Error"), without_addresses(row.error))] if row.error else []
        parts.append(object_table(bytes(row.payload)))
        shown = (
            payload if payload is not None else _("%(count)d bytes that are not JSON.") % {"count": len(row.payload)}
        )
        return [*parts, Text(_("What Stripe said, personal details hidden"), shown)]
