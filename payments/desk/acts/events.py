"""The acts on Stripe events: process one again from its page, or many from the list.

For many, a question first says how many there are of each type. The rule is payments/inbox/replay.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.staff import staff_log
from payments.desk.acts.act import Act
from payments.desk.pages import DeskAdmin
from payments.inbox import replay
from payments.inbox.replay import EventGroup
from payments.models import StripeEvent

KINDS_SHOWN = 12


class ProcessAgain(Act):
    """Process an event again that waits for nothing: processed, given up, or turned away by mistake.

    Turned away by mistake: ignored before its type was handled, or refused while the key was a wrong one.
    """

    slug = "retry"
    label = gettext_lazy("Work it again now")

    def is_open(self, row: StripeEvent) -> bool:
        return row.state not in StripeEvent.WAITING and replay.is_workable(row)

    def question(self, row: StripeEvent) -> str:
        return _("Work this event again?")

    def consequences(self, row: StripeEvent) -> list[object]:
        return effects()

    def perform(self, row: StripeEvent, answers: dict[str, Any], actor: User) -> str:
        replay.replay(StripeEvent.objects.filter(pk=row.pk))
        return _("The event waits to be worked again. Reload this page in a few seconds.")


class ProcessNow(ProcessAgain):
    """Process an event now that waits for its next try."""

    slug = "now"
    label = gettext_lazy("Work it now")

    def is_open(self, row: StripeEvent) -> bool:
        return row.state in StripeEvent.WAITING and replay.is_workable(row)

    def question(self, row: StripeEvent) -> str:
        return _("Work this event now, before its time?")


def effects() -> list[object]:
    """Return what processing an event again does and does not do, one sentence each."""
    first = _("It is worked within seconds, with all its tries ahead of it.")
    return [first, _("What it did before is not done twice: no second payment, no second email.")]


def ask(
    desk: DeskAdmin, request: HttpRequest, events: QuerySet[StripeEvent], chosen: Sequence[str] = ()
) -> HttpResponse:
    """Return the page with the question. `chosen` are the ids ticked in the list; empty for all that a filter finds."""
    kinds = replay.groups(replay.workable(events))
    count = sum(kind.count for kind in kinds)
    question = ngettext("Work %(count)d event again?", "Work %(count)d events again?", count)
    fields = [("_selected_action", name) for name in chosen]
    fields += [("action", "retry_chosen"), ("confirmed", "yes")] if chosen else []
    context = {
        **desk.admin_site.each_context(request),
        "title": _("Work events again"),
        "opts": desk.opts,
        "question": question % {"count": count},
        "consequences": [*_counted(kinds), *_left_out(events.order_by().count() - count), *effects()],
        "fields": [*fields, ("until", timezone.now().isoformat())],
        "is_possible": count > 0,
        "back": f"?{request.GET.urlencode()}",
        "button": _("Work them again now"),
    }
    return TemplateResponse(request, "staff/work_again.html", context)


def as_asked(request: HttpRequest, events: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
    """Return the events without those received after the question was shown; none without a valid time of it."""
    until: datetime | None = None
    with contextlib.suppress(ValueError):
        until = parse_datetime(request.POST.get("until", ""))
    return events.filter(received_at__lte=until) if until and timezone.is_aware(until) else events.none()


def perform(request: HttpRequest, events: QuerySet[StripeEvent]) -> None:
    """Queue the events to be processed again, and show the user how many were queued."""
    count = replay.replay(events)
    staff_log.record(request.user, "stripeevent.retry_many", count=count)
    message = ngettext("%(count)d event waits to be worked again.", "%(count)d events wait to be worked again.", count)
    messages.success(request, message % {"count": count})


def _counted(kinds: list[EventGroup]) -> list[str]:
    labels = dict(StripeEvent.State.choices)
    lines = [f"{kind.type}, {labels[StripeEvent.State(kind.state)]}: {kind.count}" for kind in kinds[:KINDS_SHOWN]]
    if rest := sum(kind.count for kind in kinds[KINDS_SHOWN:]):
        lines.append(_("Of other kinds: %(count)d") % {"count": rest})
    return lines


def _left_out(count: int) -> list[str]:
    if not count:
        return []
    sentence = _(
        "Left alone: %(count)d. They are of another mode or account, of a type nobody acts on, reduced to ids, or "
        "being worked right now."
    )
    return [sentence % {"count": count}]
