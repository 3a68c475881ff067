"""Subscriptions at the desk, and stopping one on somebody's behalf."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.admin.payments import payment_table
from payments.desk import columns
from payments.desk.acts.act import Act
from payments.desk.acts.untold import why_untold
from payments.desk.columns import column
from payments.desk.filters import CurrencyFilter, OneSupporter, Stopping, list_of
from payments.desk.pages import Fact, Part, Table
from payments.desk.patron_status import next_payment, promise, subscription_state
from payments.desk.search import FindsByPerson
from payments.errors import AlreadyStopped, StripeRefused, StripeUnavailable
from payments.models import Subscription, SubscriptionChange
from payments.recurring import change_params, changes


class StopForm(forms.Form):
    words = forms.CharField(
        label=gettext_lazy("Why, in their words"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept with the subscription. The supporter may ask to see it."),
    )


class StopSubscription(Act):
    slug = "stop"
    label = gettext_lazy("Stop this subscription")
    form_class = StopForm
    is_grave = True
    problems = (StripeUnavailable, StripeRefused, AlreadyStopped)

    def is_open(self, row: Subscription) -> bool:
        return row.is_alive and not row.is_stopping

    def question(self, row: Subscription) -> str:
        return _("Stop %(promise)s?") % {"promise": promise(row)}

    def consequences(self, row: Subscription) -> list[object]:
        until = {"day": columns.moment(row.current_period_end)}
        keeps = _("What is paid stays paid: it runs until %(day)s and then ends.") % until
        if row.status not in change_params.STOPS_AT_PERIOD_END:
            keeps = _("It ends at once, because its last payment did not come.")
        told = why_untold(row.supporter.email) or _("They get one email that says so.")
        return [_("Stripe takes no further payment."), keeps, told, _("Nothing is refunded.")]

    def perform(self, row: Subscription, answers: dict[str, Any], actor: User) -> str:
        changes.request_stop(row, surface="staff", words=answers["words"], actor=actor)
        return _("Stripe was asked to stop it. The page shows it as soon as Stripe confirms.")

    def sorry(self, problem: Exception) -> str:
        if isinstance(problem, AlreadyStopped):
            return _("It is stopped already. There is nothing left to do.")
        if isinstance(problem, StripeRefused):
            return _("Stripe refused. Look at the subscription at Stripe; nothing changed here.")
        return _("Stripe does not answer now. Nothing is lost: the wish is written down. Please try again in a minute.")


@admin.register(Subscription)
class SubscriptionAdmin(FindsByPerson):
    acts = (StopSubscription(),)
    exact = ("stripe_subscription_id",)
    page_related = ("supporter", "campaign", "checkout")
    list_display = (
        columns.number,
        columns.person_column(),
        column(gettext_lazy("gives"))(promise),
        column(gettext_lazy("status"))(subscription_state),
        columns.moment_column("started_at", gettext_lazy("started")),
        column(gettext_lazy("next payment"))(next_payment),
        "campaign",
    )
    list_filter = ("status", Stopping, "frequency", CurrencyFilter, "campaign", "started_at", OneSupporter)
    list_select_related = ("supporter", "campaign")

    def facts(self, row: Subscription) -> list[Fact]:
        return [
            (_("Supporter"), columns.person(row.supporter)),
            (_("Gives"), promise(row)),
            (_("Status"), subscription_state(row)),
            (_("Started"), columns.moment(row.started_at)),
            (_("Paid until"), columns.moment(row.current_period_end)),
            *credit_facts(row),
            (_("Next payment"), next_payment(row)),
            (_("Ended"), columns.moment(row.ended_at)),
            (_("Paid from"), row.method or columns.NONE),
            (_("Campaign"), row.campaign or columns.NONE),
            (_("Checkout"), columns.link(row.checkout)),
            (_("At Stripe"), columns.code(row.stripe_subscription_id)),
            (_("Customer at Stripe"), columns.code(row.stripe_customer_id)),
        ]

    def parts(self, row: Subscription) -> list[Part]:
        more = list_of("payments_payment", subscription=row.pk)
        return [payment_table(row.payments.all(), more), change_table(row)]


def credit_facts(row: Subscription) -> list[Fact]:
    day = row.credited_through
    return [(_("Paid from credit at Stripe through"), columns.day(day))] if day else []


def change_table(row: Subscription) -> Table:
    head = [_("When"), _("What"), _("Through"), _("State"), _("In their words")]
    return Table(_("Requests to Stripe"), head, [_change(change) for change in row.changes.all()], empty=_("None."))


def _change(change: SubscriptionChange) -> list[object]:
    tone = columns.BAD if change.state == change.State.FAILED else columns.GOOD
    shown = columns.state(change.get_state_display(), tone)
    when, what = columns.moment(change.requested_at), change.get_kind_display()
    return [when, what, change.surface, shown, change.words or columns.NONE]
