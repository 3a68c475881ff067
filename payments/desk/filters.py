"""Filters of the desk's lists whose choices need no query, and links to filtered lists. Used by payments/admin/."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from members.models import Membership, Supporter
from members.staff import viewing
from payments.models import Frequency, Subscription

Choices = Iterable[tuple[str, Any]]


class CurrencyFilter(admin.SimpleListFilter):
    """Filter by one of the configured currencies. A DISTINCT over all payments would read the whole table."""

    title, parameter_name = _("currency"), "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(code, code) for code in settings.CURRENCIES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(currency=self.value()) if self.value() else queryset


class LanguageFilter(admin.SimpleListFilter):
    """Filter by one of the configured languages, without a DISTINCT over the whole table."""

    title, parameter_name = _("language"), "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return settings.LANGUAGES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(language=self.value()) if self.value() else queryset


class OneOnly(admin.SimpleListFilter):
    """Filter by one related row, such as a supporter. Links set it; it is offered only while set, to be removed."""

    field = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        number = request.GET.get(str(self.parameter_name), "")
        return [(number, f"#{number}")] if _is_number(number) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        return queryset.filter(**{self.field: int(value)}) if _is_number(value) else queryset


class OneSupporter(OneOnly):
    title, parameter_name, field = _("supporter"), "supporter", "supporter_id"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        hidden = {str(number) for number, _address in viewing.hidden_people(request.user)}
        return queryset.none() if self.value() in hidden else super().queryset(request, queryset)


class OneSubscription(OneOnly):
    title, parameter_name, field = _("subscription"), "subscription", "subscription_id"


class OnePayment(OneOnly):
    title, parameter_name, field = _("payment"), "payment", "payment_id"


class Patronage(admin.SimpleListFilter):
    """Filter supporters by the state of their best membership, or by never having had one."""

    title, parameter_name = _("membership"), "membership"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(state.value, state.label) for state in Membership.State] + [("none", _("never a patron"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Supporter]) -> QuerySet[Supporter]:
        value = self.value()
        if value == "none":
            return queryset.filter(~Exists(Membership.objects.filter(supporter=OuterRef("pk"))))
        if value in Membership.State.values:
            return queryset.filter(
                Exists(Membership.objects.in_state(value).filter(supporter=OuterRef("pk"))), _none_better(value)
            )
        return queryset


def _none_better(state: str) -> Q:
    """Return the condition that a supporter has no better membership.

    For `grace` there must be none that is active; for `lapsed` and `ended` none that is active or in grace.
    """
    of_person = Membership.objects.filter(supporter=OuterRef("pk"))
    if state == Membership.State.ACTIVE:
        return Q()
    if state == Membership.State.GRACE:
        return ~Q(Exists(of_person & Membership.objects.active()))
    return ~Q(Exists(of_person & Membership.objects.running()))


RECURRING = (Frequency.MONTH, Frequency.YEAR, Frequency.OTHER)


class Giving(admin.SimpleListFilter):
    """Filter supporters by the frequency of a subscription that has not ended, or by having two of them."""

    title, parameter_name = _("gives"), "gives"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        two = ("two", _("two subscriptions"))
        return [*((each.value, each.label) for each in RECURRING), two]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Supporter]) -> QuerySet[Supporter]:
        alive = Subscription.objects.alive().filter(supporter=OuterRef("pk"))
        if self.value() == "two":
            several = alive.filter(Exists(_another_alive()))
            return queryset.filter(Exists(several))
        if self.value() in RECURRING:
            return queryset.filter(Exists(alive.filter(frequency=self.value())))
        return queryset


def _another_alive() -> QuerySet[Subscription]:
    """Return the supporter's other subscriptions that may still take money, as a subquery for Exists()."""
    return Subscription.objects.alive().filter(supporter=OuterRef("supporter")).exclude(pk=OuterRef("pk"))


class Stopping(admin.SimpleListFilter):
    """Filter subscriptions that have not ended by whether they are set to stop."""

    title, parameter_name = _("stops"), "stops"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("soon", _("stops at the period's end")), ("no", _("goes on"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        going_on = Subscription.objects.alive().going_on().values("pk")
        if self.value() == "soon":
            return queryset.exclude(status__in=Subscription.NOT_ALIVE).exclude(pk__in=going_on)
        if self.value() == "no":
            return queryset.filter(pk__in=going_on)
        return queryset


class SentBack(admin.SimpleListFilter):
    """Filter payments by whether a part or all of their amount was refunded."""

    title, parameter_name = _("refunds"), "refunds"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("part", _("refunded in part")), ("whole", _("refunded in full"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "part":
            return queryset.filter(refunded_amount__gt=0, refunded_amount__lt=F("amount"))
        if self.value() == "whole":
            return queryset.filter(refunded_amount=F("amount"))
        return queryset


class Openness(admin.SimpleListFilter):
    """Filter cases and differences. Only the open ones are shown unless closed ones, or all, are asked for."""

    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("settled", _("settled")), ("all", _("all"))]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        open_only, *others = super().choices(changelist)
        yield {**open_only, "display": _("open")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(settled_at__isnull=self.value() != "settled")


def list_of(model: str, **query: object) -> str:
    """Return the address of a desk list with filters set, as in list_of("payments_payment", supporter=12)."""
    return reverse(f"admin:{model}_changelist", query=query or None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
