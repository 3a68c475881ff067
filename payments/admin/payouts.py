"""The desk's list of payouts to the bank, each with the payments, refunds, disputes and fees it consists of."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.books import payouts
from payments.desk import columns
from payments.desk.columns import BAD, GOOD, LATE, NONE, column
from payments.desk.filters import CurrencyFilter
from payments.desk.pages import DeskAdmin, Fact, Part, Table
from payments.models import Payout, PayoutLine

TONES = {
    Payout.Status.PAID: GOOD,
    Payout.Status.PENDING: LATE,
    Payout.Status.IN_TRANSIT: LATE,
    Payout.Status.FAILED: BAD,
}
KINDS = {
    "charge": gettext_lazy("Payments by card"),
    "payment": gettext_lazy("Payments by bank debit"),
    "refund": gettext_lazy("Refunds"),
    "payment_refund": gettext_lazy("Refunds of bank debits"),
    "payment_failure_refund": gettext_lazy("Bank debits that failed"),
    "refund_failure": gettext_lazy("Refunds that came back"),
    "adjustment": gettext_lazy("Disputes"),
    "fees": gettext_lazy("Stripe's fees"),
}


@column(gettext_lazy("unexplained"))
def unexplained(row: Payout) -> str | SafeString:
    """Return the part of a payout that its lines do not explain; a dash before its lines were compared."""
    if row.unexplained is None:
        return NONE
    return columns.state(columns.plain_amount(row.unexplained, row.currency), BAD if row.unexplained else GOOD)


@admin.register(Payout)
class PayoutAdmin(DeskAdmin):
    search_fields = ("=stripe_payout_id",)
    list_display = (
        columns.number,
        columns.amount_column(gettext_lazy("amount")),
        columns.state_column("status", gettext_lazy("status"), TONES),
        unexplained,
        "arrives_on",
        columns.moment_column("created_at", gettext_lazy("made")),
    )
    list_filter = ("status", CurrencyFilter, "created_at")

    def facts(self, row: Payout) -> list[Fact]:
        return [
            (_("Amount"), columns.amount(row.amount, row.currency)),
            (_("Status"), columns.tinted(row, "status", TONES)),
            (_("Unexplained"), unexplained(row)),
            (_("Tied to its lines"), columns.moment(row.compared_at)),
            (_("Arrives on"), columns.day(row.arrives_on)),
            (_("Why it failed"), row.failure_code or NONE),
            (_("At Stripe"), columns.code(row.stripe_payout_id)),
        ]

    def parts(self, row: Payout) -> list[Part]:
        made_of = [
            (KINDS.get(kind, kind), columns.amount(amount, row.currency))
            for kind, amount in payouts.breakdown(row).items()
        ]
        lines = row.lines.select_related("ledger_entry__payment")
        return [
            Table(_("Against our books"), (_("What"), _("Amount")), _by_owner(row)),
            Table(_("Made of"), (_("What"), _("Amount")), made_of, empty=_("Stripe has not said yet.")),
            Table(_("Line by line"), LINE_HEAD, [_line(line) for line in lines]),
        ]


LINE_HEAD = (
    gettext_lazy("When"),
    gettext_lazy("What"),
    gettext_lazy("Amount"),
    gettext_lazy("Fee"),
    gettext_lazy("Net"),
    gettext_lazy("Payment"),
)


def _by_owner(row: Payout) -> list[tuple[object, ...]]:
    """Return the net amount of a payout by owner: in our ledger, missing from it, other programs', Stripe's."""
    parts = payouts.holding(row)
    missing = columns.plain_amount(parts.missing, row.currency)
    return [
        (_("In our books, fees taken off"), columns.amount(parts.booked, row.currency)),
        (_("Ours, and missing in our books"), columns.state(missing, BAD if parts.missing else GOOD)),
        (_("Of others on the account"), columns.amount(parts.of_others, row.currency)),
        (_("Stripe’s own"), columns.amount(parts.of_stripe, row.currency)),
        (_("Unexplained"), unexplained(row)),
    ]


def _payment(line: PayoutLine) -> object:
    if line.ledger_entry:
        return columns.link(line.ledger_entry.payment)
    if line.whose == PayoutLine.Whose.OURS:
        return columns.state(_("ours, and missing"), BAD)
    return line.get_whose_display()


def _line(line: PayoutLine) -> tuple[object, ...]:
    return (
        columns.moment(line.occurred_at),
        format_html("{}<br><small>{}</small>", KINDS.get(line.type, line.type), line.source),
        columns.amount(line.amount, line.currency),
        columns.amount(line.fee, line.currency),
        columns.amount(line.net, line.currency),
        _payment(line),
    )
