"""Payments and refunds at the desk: looked at, never touched. Money is changed at Stripe; its events tell us."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.admin.disputes import dispute_table
from payments.admin.ledger import ledger_table
from payments.admin.refund_requests import SendBack, request_table
from payments.desk import columns
from payments.desk.columns import BAD, GOOD, LATE, NONE, column
from payments.desk.filters import CurrencyFilter, OnePayment, OneSubscription, OneSupporter, SentBack
from payments.desk.pages import Fact, Part, Table
from payments.desk.search import FindsByPerson
from payments.letters import declines
from payments.models import Payment, Refund

TONES = {Payment.Status.SUCCEEDED: GOOD, Payment.Status.PROCESSING: LATE, Payment.Status.FAILED: BAD}
REFUND_TONES = {
    Refund.Status.SUCCEEDED: GOOD,
    Refund.Status.PENDING: LATE,
    Refund.Status.REQUIRES_ACTION: LATE,
    Refund.Status.FAILED: BAD,
}


@column(gettext_lazy("status"))
def payment_state(row: Payment) -> SafeString:
    if row.disputed_amount:
        return columns.state(_("taken back by the bank"), BAD)
    if row.status == Payment.Status.SUCCEEDED and row.is_fully_refunded:
        return columns.state(_("refunded in full"), LATE)
    if row.is_recovered:
        return columns.state(_("received after a failed try"), GOOD)
    return columns.tinted(row, "status", TONES)


@column(gettext_lazy("amount"))
def payment_amount(row: Payment) -> str | SafeString:
    shown = columns.amount(row.amount, row.currency)
    if not row.refunded_amount:
        return shown
    back = _("%(amount)s sent back") % {"amount": columns.plain_amount(row.refunded_amount, row.currency)}
    return format_html("{}<br><small>{}</small>", shown, back)


@admin.register(Payment)
class PaymentAdmin(FindsByPerson):
    acts = (SendBack(),)
    exact = ("stripe_payment_intent_id", "stripe_invoice_id", "stripe_charge_id")
    page_related = ("supporter", "subscription", "checkout", "campaign", "appeal")
    list_display = (
        columns.number,
        columns.person_column(),
        payment_amount,
        payment_state,
        "frequency",
        columns.moment_column("created_at", gettext_lazy("made")),
        columns.moment_column("paid_at", gettext_lazy("received")),
        column(gettext_lazy("paid from"))(columns.paid_from),
        "campaign",
    )
    list_filter = (
        "status", SentBack, "frequency", CurrencyFilter, "campaign", "created_at", OneSupporter, OneSubscription,
    )  # fmt: skip
    list_select_related = ("supporter", "campaign")

    def facts(self, row: Payment) -> list[Fact]:
        return [
            (_("Supporter"), columns.person(row.supporter)),
            (_("Amount"), columns.amount(row.amount, row.currency)),
            (_("Sent back"), columns.amount(row.refunded_amount or None, row.currency)),
            (_("Taken by disputes"), columns.amount(row.disputed_amount or None, row.currency)),
            (_("Status"), payment_state(row)),
            (_("Frequency"), row.get_frequency_display()),
            (_("Made"), columns.moment(row.created_at)),
            (_("Received"), columns.moment(row.paid_at)),
            (_("Pays through"), columns.day(row.paid_through)),
            (_("Paid from"), columns.paid_from(row)),
            *failure_facts(row),
            (_("Subscription"), columns.link(row.subscription)),
            (_("Checkout"), columns.link(row.checkout)),
            (_("Campaign"), row.campaign or NONE),
            (_("Appeal"), row.appeal or NONE),
            (_("Article"), row.article or NONE),
            *stripe_facts(row),
        ]

    def parts(self, row: Payment) -> list[Part]:
        return [
            refund_table(row.refunds.all()),
            request_table(row.refund_requests.select_related("actor"), row.currency),
            dispute_table(row.disputes.all()),
            ledger_table(row.ledger_entries.all()),
        ]


@admin.register(Refund)
class RefundAdmin(FindsByPerson):
    exact = ("stripe_refund_id",)
    person = "payment__supporter"
    page_related = ("payment__supporter",)
    list_display = (
        columns.number,
        columns.person_column("payment.supporter"),
        columns.amount_column(gettext_lazy("amount")),
        columns.state_column("status", gettext_lazy("status"), REFUND_TONES),
        column(gettext_lazy("payment"))(lambda row: columns.link(row.payment)),
        columns.moment_column("created_at", gettext_lazy("made")),
    )
    list_filter = ("status", CurrencyFilter, "created_at", OnePayment)
    list_select_related = ("payment__supporter",)

    def facts(self, row: Refund) -> list[Fact]:
        return [
            (_("Supporter"), columns.person(row.payment.supporter)),
            (_("Payment"), columns.link(row.payment)),
            (_("Amount"), columns.amount(row.amount, row.currency)),
            (_("Status"), columns.tinted(row, "status", REFUND_TONES)),
            (_("Made"), columns.moment(row.created_at)),
            (_("Reason"), row.reason or NONE),
            (_("Why it failed"), row.failure_reason or NONE),
            (_("At Stripe"), columns.code(row.stripe_refund_id)),
        ]

    def parts(self, row: Refund) -> list[Part]:
        return [ledger_table(row.ledger_entries.all())]


def failure_facts(row: Payment) -> list[Fact]:
    if not row.failures and not row.failure_code:
        return []
    return [
        (_("Failed tries"), row.failures),
        (_("Why it failed"), declines.in_words(row.failure_code) or NONE),
        (_("Next try"), columns.moment(row.next_attempt_at)),
    ]


def stripe_facts(row: Payment) -> list[Fact]:
    ids = {
        _("Payment at Stripe"): row.stripe_payment_intent_id,
        _("Invoice at Stripe"): row.stripe_invoice_id,
        _("Charge at Stripe"): row.stripe_charge_id,
        _("Customer at Stripe"): row.stripe_customer_id,
    }
    return [(label, columns.code(value)) for label, value in ids.items() if value]


def payment_table(rows: Iterable[Payment], more: str = "") -> Table:
    """Payments, newest first, each with what was sent back."""
    head = [_("Payment"), _("Made"), _("Amount"), _("Status"), _("Frequency"), _("Paid from")]
    shown = [_payment(row) for row in rows]
    return Table(_("Payments"), head, shown, more, _("No payments yet."))


def refund_table(rows: Iterable[Refund]) -> Table:
    head = [_("Refund"), _("Made"), _("Amount"), _("Status"), _("Reason")]
    return Table(_("Refunds"), head, [_refund(row) for row in rows], empty=_("Nothing was sent back."))


def _payment(row: Payment) -> list[object]:
    when, frequency = columns.moment(row.created_at), row.get_frequency_display()
    return [columns.link(row), when, payment_amount(row), payment_state(row), frequency, columns.paid_from(row)]


def _refund(row: Refund) -> list[object]:
    state = columns.tinted(row, "status", REFUND_TONES)
    shown = columns.amount(row.amount, row.currency)
    return [columns.link(row), columns.moment(row.created_at), shown, state, row.reason or NONE]
