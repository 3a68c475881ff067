"""Filters of the desk's list of Stripe events: by type, age, state and error.

Their choices come from the code, or from the few events that need a look, so that no filter scans the table of events.
Used by payments/admin/events.py.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Func, QuerySet, TextField, Value
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments.desk.filters import Choices
from payments.models import StripeEvent
from payments.stripe_api.event_types import HANDLED

MOST_ERRORS = 12
# An error's text up to the first colon: the type of an exception, or the reason for waiting.
KIND_OF_ERROR = Func(F("error"), Value(":"), Value(1), function="split_part", output_field=TextField())
STUCK = (StripeEvent.State.PARKED, StripeEvent.State.FAILED, StripeEvent.State.DEAD)


class EventType(admin.SimpleListFilter):
    """Filter events by the family of their type, such as `customer.subscription`, or by one handled type.

    A whole type is a choice only while the address names it. `other` finds types that we do not handle.
    """

    title, parameter_name = _("about"), "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        families = sorted({name.rpartition(".")[0] for name in HANDLED})
        asked = request.GET.get("type", "")
        whole = [(asked, asked)] if asked in HANDLED else []
        return [*whole, *((family, family) for family in families), ("other", _("what we do not act on"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "other":
            return queryset.filter(is_sync=False).exclude(type__in=HANDLED)
        types = [name for name in HANDLED if value in (name, name.rpartition(".")[0])]
        return queryset.filter(type__in=types) if types else queryset


class EventAge(admin.SimpleListFilter):
    """Filter events by the real time since we received them."""

    title, parameter_name = _("came"), "age"
    YOUNG = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
    OLD = {"over-5-minutes": timedelta(minutes=5), "over-day": timedelta(days=1), "over-month": timedelta(days=30)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("hour", _("in the last hour")),
            ("day", _("in the last day")),
            ("week", _("in the last week")),
            ("over-5-minutes", _("more than five minutes ago")),
            ("over-day", _("more than a day ago")),
            ("over-month", _("more than thirty days ago")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        if value in self.YOUNG:
            return queryset.filter(received_at__gte=timezone.now() - self.YOUNG[value])
        if value in self.OLD:
            return queryset.filter(received_at__lt=timezone.now() - self.OLD[value])
        return queryset


class EventError(admin.SimpleListFilter):
    """Filter events by the beginning of their error, so that all that died of one fault can be processed again.

    Its choices are the errors of the events that need a look, at most MOST_ERRORS of them: a small part of the table.
    """

    title, parameter_name = _("error"), "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        stuck = StripeEvent.objects.filter(state__in=STUCK).exclude(error="").order_by()
        kinds = stuck.annotate(kind=KIND_OF_ERROR).values_list("kind").annotate(count=Count("pk"))
        return [(kind, kind) for kind, _count in kinds.order_by("-count", "kind")[:MOST_ERRORS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(error__startswith=value) if value else queryset


class EventState(admin.SimpleListFilter):
    """Filter events by state. `waiting` and `stuck` each cover several states."""

    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        groups = [("waiting", _("waiting, all kinds")), ("stuck", _("needs a look"))]
        return groups + [(state.value, state.label) for state in StripeEvent.State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        states = {"waiting": StripeEvent.WAITING, "stuck": STUCK}.get(value or "", (value,))
        return queryset.filter(state__in=states) if value else queryset
