"""The desk's lists of payments and refunds. Nobody edits them: money changes at Stripe, whose events report it.

The act "send money back" asks Stripe for a refund (payments/desk/acts/refunds.py).
"""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.desk import columns
from payments.desk.acts.refunds import SendBack
from payments.desk.columns import NONE, column
from payments.desk.filters import CurrencyFilter, OnePayment, OneSubscription, OneSupporter, SentBack
from payments.desk.pages import Fact, Part
from payments.desk.search import FindsByPerson
from payments.desk.tables.disputes import dispute_table
from payments.desk.tables.ledger import ledger_table
from payments.desk.tables.payments import REFUND_TONES, how_often, payment_amount, payment_state, refund_table
from payments.desk.tables.refund_requests import request_table
from payments.letters import declines
from payments.models import Payment, Refund


@admin.register(Payment)
class PaymentAdmin(FindsByPerson):
    is_of_books = True
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
        "status",
        SentBack,
        "frequency",
        CurrencyFilter,
        "campaign",
        "created_at",
        OneSupporter,
        OneSubscription,
    )
    list_select_related = ("supporter", "campaign")

    def facts(self, row: Payment) -> list[Fact]:
        return [
            (_("Supporter"), columns.person(row.supporter)),
            (_("Amount"), columns.amount(row.amount, row.currency)),
            (_("Sent back"), columns.amount(row.refunded_amount or None, row.currency)),
            (_("Taken by disputes"), columns.amount(row.disputed_amount or None, row.currency)),
            (_("Status"), payment_state(row)),
            (_("Frequency"), how_often(row)),
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
    is_of_books = True
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
    """Return the failed tries, the bank's reason and the next try; empty for a payment that never failed."""
    if not row.failures and not row.failure_code:
        return []
    return [
        (_("Failed tries"), row.failures),
        (_("Why it failed"), declines.in_words(row.failure_code) or NONE),
        (_("Next try"), columns.moment(row.next_attempt_at)),
    ]


def stripe_facts(row: Payment) -> list[Fact]:
    """Return the Stripe ids that the payment has."""
    ids = {
        _("Payment at Stripe"): row.stripe_payment_intent_id,
        _("Invoice at Stripe"): row.stripe_invoice_id,
        _("Charge at Stripe"): row.stripe_charge_id,
        _("Customer at Stripe"): row.stripe_customer_id,
    }
    return [(label, columns.code(value)) for label, value in ids.items() if value]
