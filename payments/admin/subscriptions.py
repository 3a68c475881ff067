"""The desk's list of subscriptions, with the requests made to Stripe about each, and stopping one for a supporter."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.acts.subscriptions import StopSubscription
from payments.desk.columns import column
from payments.desk.filters import CurrencyFilter, OneSupporter, Stopping, list_of
from payments.desk.pages import Fact, Part, Table
from payments.desk.patron_status import next_payment, promise, subscription_state
from payments.desk.search import FindsByPerson
from payments.desk.tables.payments import payment_table
from payments.models import Subscription, SubscriptionChange


@admin.register(Subscription)
class SubscriptionAdmin(FindsByPerson):
    is_of_books = True
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
    """Return the day through which a credit balance at Stripe has paid; empty without one."""
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
