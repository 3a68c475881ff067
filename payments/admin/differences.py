"""Differences between our books and Stripe’s at the desk: what each says, and settling it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.acts import taking as difference_work
from payments.desk.acts.act import Act
from payments.desk.acts.taking import promises
from payments.desk.columns import GOOD, LATE, NONE, column
from payments.desk.filters import Openness
from payments.desk.pages import DeskAdmin, Fact
from payments.errors import AlreadySettled, NotYet, StripeRefused, StripeUnavailable
from payments.models import Difference, Dispute, Payment, Payout, Refund, Subscription
from payments.reconciling import differences

TONES = {Difference.State.OPEN: LATE, Difference.State.TAKEN: GOOD, Difference.State.GONE: GOOD}
KINDS = {
    differences.SUBSCRIPTION: gettext_lazy("Subscription"),
    differences.PAYMENT: gettext_lazy("Payment"),
    differences.REFUND: gettext_lazy("Refund"),
    differences.DISPUTE: gettext_lazy("Dispute"),
    differences.BALANCE: gettext_lazy("Line of Stripe’s balance"),
    differences.PAYOUT: gettext_lazy("Payout"),
}
FIELDS = {
    differences.MISSING: gettext_lazy("missing in our books"),
    differences.EXTRA: gettext_lazy("not known to Stripe"),
    differences.UNSETTLED: gettext_lazy("not settled by Stripe"),
    differences.STATUS: gettext_lazy("status"),
    differences.TAKEN: gettext_lazy("taken from us"),
    differences.LINES: gettext_lazy("tied to its lines"),
    "amount": gettext_lazy("amount"),
    "fee": gettext_lazy("fee"),
    "frequency": gettext_lazy("frequency"),
    "current_period_end": gettext_lazy("period ends"),
    "cancel_at_period_end": gettext_lazy("stops at the period's end"),
    "cancel_at": gettext_lazy("stops at"),
    "ended_at": gettext_lazy("ended"),
    "collection_paused": gettext_lazy("collection paused"),
    "resumes_at": gettext_lazy("resumes"),
}
OURS: dict[str, tuple[type[Model], str]] = {
    differences.SUBSCRIPTION: (Subscription, "stripe_subscription_id"),
    differences.PAYMENT: (Payment, "stripe_charge_id"),
    differences.REFUND: (Refund, "stripe_refund_id"),
    differences.DISPUTE: (Dispute, "stripe_dispute_id"),
    differences.PAYOUT: (Payout, "stripe_payout_id"),
}
STATUSES: dict[str, dict[str, object]] = {
    differences.SUBSCRIPTION: dict(Subscription.Status.choices),
    differences.PAYMENT: dict(Payment.Status.choices),
    differences.REFUND: dict(Refund.Status.choices),
    differences.DISPUTE: dict(Dispute.Status.choices),
    differences.PAYOUT: dict(Payout.Status.choices),
}


class TakeStripes(Act):
    slug = difference_work.SLUG
    label = gettext_lazy("Take Stripe’s")
    problems = (AlreadySettled, NotYet, StripeRefused, StripeUnavailable)

    def is_open(self, row: Difference) -> bool:
        return row.state == Difference.State.OPEN and differences.can_take(row)

    def question(self, row: Difference) -> str:
        return _("Make our books follow Stripe here?")

    def consequences(self, row: Difference) -> list[object]:
        return [difference_in_words(row), *promises()]

    def perform(self, row: Difference, answers: dict[str, Any], actor: User) -> str:
        differences.take(row, actor)
        return _("Stripe’s is being taken. The next comparison looks whether that was enough.")

    def sorry(self, problem: Exception) -> str:
        if isinstance(problem, AlreadySettled):
            return _("Somebody settled this difference a moment ago. Go back to see how.")
        if isinstance(problem, StripeUnavailable):
            return _("Stripe does not answer at the moment. Nothing was changed. Try again in a few minutes.")
        return _("Stripe has nothing to take here. Nothing was changed. Look at it there, then leave it with a note.")


class NoteForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("Why it is left as it is"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One or two sentences for whoever looks at it next year."),
    )


class LeaveIt(Act):
    slug = "note"
    label = gettext_lazy("Leave it, with a note")
    form_class = NoteForm
    problems = (AlreadySettled,)

    def is_open(self, row: Difference) -> bool:
        return row.state == Difference.State.OPEN

    def question(self, row: Difference) -> str:
        return _("Leave this difference as it is?")

    def consequences(self, row: Difference) -> list[object]:
        return [
            difference_in_words(row),
            _("Nothing is changed, here or at Stripe. Your note and your name stay with it."),
            _("It is not shown again unless one of the two values changes."),
        ]

    def perform(self, row: Difference, answers: dict[str, Any], actor: User) -> str:
        differences.note(row, actor, answers["note"])
        return _("The difference is left, with your note.")

    def sorry(self, problem: Exception) -> str:
        return _("Somebody settled this difference a moment ago. Go back to see how.")


@column(gettext_lazy("what"))
def kind(row: Difference) -> object:
    return KINDS.get(row.kind, row.kind)


@column(gettext_lazy("field"))
def field(row: Difference) -> object:
    return FIELDS.get(row.field, row.field)


@column(gettext_lazy("our books"))
def ours(row: Difference) -> object:
    return value(row, row.ours)


@column(gettext_lazy("Stripe"))
def theirs(row: Difference) -> object:
    return value(row, row.theirs)


@column(gettext_lazy("what"))
def kind_and_id(row: Difference) -> SafeString:
    return format_html("{}<br><small>{}</small>", kind(row), stripe_object(row))


@column(gettext_lazy("object"))
def stripe_object(row: Difference) -> object:
    return columns.code(row.stripe_id)


def value(row: Difference, text: str) -> object:
    """A value of a difference as people read it: an amount, an amount with its fee, a moment, yes or no, a status."""
    if found := re.fullmatch(r"(-?\d+) ([A-Z]{3})(?:, (-?\d+))?", text):
        amount, currency, fee = found.groups()
        shown = columns.amount(int(amount), currency)
        if fee is None:
            return shown
        return format_html("{}<br><small>{}</small>", shown, _("fee %(fee)s") % {"fee": plain(fee, currency)})
    if re.match(r"\d{4}-\d\d-\d\dT", text):
        return columns.moment(datetime.fromisoformat(text))
    return {"": _("nothing"), "yes": _("yes"), "no": _("no")}.get(text) or STATUSES.get(row.kind, {}).get(text, text)


def plain(minor: str, currency: str) -> str:
    return columns.plain_amount(int(minor), currency)


def difference_in_words(row: Difference) -> SafeString:
    names = {"what": KINDS.get(row.kind, row.kind), "field": FIELDS.get(row.field, row.field)}
    first = _("%(what)s, %(field)s.") % names
    return format_html("{} {}: {}. {}: {}.", first, _("Our books"), ours(row), _("Stripe"), theirs(row))


@admin.register(Difference)
class DifferenceAdmin(DeskAdmin):
    acts = (TakeStripes(), LeaveIt())
    page_related = ("settled_by",)
    list_display = (
        columns.number, kind_and_id, field, ours, theirs, columns.state_column("state", gettext_lazy("state"), TONES),
        columns.moment_column("found_at", gettext_lazy("found")),
    )  # fmt: skip
    list_filter = (Openness, "found_at")
    search_fields = ("=stripe_id",)
    search_help_text = gettext_lazy("Stripe’s id, such as ch_… or sub_…")
    actions = ("take_chosen",)

    def has_take_permission(self, request: HttpRequest) -> bool:
        return self.may_act(request)

    @admin.action(description=gettext_lazy("Take Stripe’s for the chosen"), permissions=["take"])
    def take_chosen(self, request: HttpRequest, queryset: QuerySet[Difference]) -> HttpResponse | None:
        """Asks first; what cannot be taken stays as it is. "All of the list" is asked about on a page of its own."""
        if request.POST.get("select_across") == "1":
            return HttpResponseRedirect(f"{reverse('admin:payments_difference_take_all')}?{request.GET.urlencode()}")
        rows = difference_work.takable(queryset)
        if rows and "confirmed" not in request.POST:
            return TemplateResponse(request, "staff/act_on_many.html", self._confirmation(request, rows))
        difference_work.take(self, request, rows, queryset.count())
        return None

    def take_all(self, request: HttpRequest) -> HttpResponse:
        """All that the list's filter finds."""
        if not self.may_act(request):
            raise PermissionDenied
        back, found = reverse("admin:payments_difference_changelist"), self.found_by_filter(request)
        if found is None:
            return HttpResponseRedirect(back)
        return difference_work.all_of(self, request, found, f"{back}?{request.GET.urlencode()}")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.take_all)
        return [path("take-all/", view, name="payments_difference_take_all"), *super().get_urls()]

    def _confirmation(self, request: HttpRequest, rows: list[Difference]) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": _("Take Stripe’s"),
            "opts": self.opts,
            "question": difference_work.question(len(rows)),
            "consequences": promises(),
            "ids": [row.pk for row in rows],
            "action": "take_chosen",
            "button": _("Take Stripe’s"),
        }

    def facts(self, row: Difference) -> list[Fact]:
        return [
            (_("What"), kind(row)),
            (_("Field"), field(row)),
            (_("Our books"), ours(row)),
            (_("Stripe"), theirs(row)),
            (_("State"), columns.tinted(row, "state", TONES)),
            (_("At Stripe"), stripe_object(row)),
            (_("In our books"), columns.link(_ours(row))),
            (_("When it happened"), columns.moment(row.happened_at)),
            (_("Found"), columns.moment(row.found_at)),
            (_("Last seen"), columns.moment(row.seen_at)),
            (_("Settled"), columns.moment(row.settled_at)),
            (_("Settled by"), row.settled_by or NONE),
            (_("Note"), row.note or NONE),
        ]


def _ours(row: Difference) -> Model | None:
    model, name = OURS.get(row.kind, (None, ""))
    return model._default_manager.filter(**{name: row.stripe_id}).first() if model else None
