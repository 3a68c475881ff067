"""Payments and refunds in tables of a desk page: their states and amounts in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments import rhythms
from payments.desk import columns
from payments.desk.columns import BAD, GOOD, LATE, NONE, column
from payments.desk.pages import Table
from payments.models import Frequency, Payment, Refund

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


def how_often(row: Payment) -> str:
    """Return how often a payment recurs, in words; for a rhythm that our forms do not offer, which."""
    if row.frequency == Frequency.OTHER and row.subscription:
        return rhythms.words(row.subscription.rhythm)
    return row.get_frequency_display()


@column(gettext_lazy("amount"))
def payment_amount(row: Payment) -> str | SafeString:
    shown = columns.amount(row.amount, row.currency)
    if not row.refunded_amount:
        return shown
    back = _("%(amount)s sent back") % {"amount": columns.plain_amount(row.refunded_amount, row.currency)}
    return format_html("{}<br><small>{}</small>", shown, back)


def payment_table(rows: Iterable[Payment], more: str = "") -> Table:
    """Return payments as a table, in the given order, each with its refunded amount."""
    head = [_("Payment"), _("Made"), _("Amount"), _("Status"), _("Frequency"), _("Paid from")]
    shown = [_payment(row) for row in rows]
    return Table(_("Payments"), head, shown, more, _("No payments yet."))


def refund_table(rows: Iterable[Refund]) -> Table:
    head = [_("Refund"), _("Made"), _("Amount"), _("Status"), _("Reason")]
    return Table(_("Refunds"), head, [_refund(row) for row in rows], empty=_("Nothing was sent back."))


def _payment(row: Payment) -> list[object]:
    when, frequency = columns.moment(row.created_at), how_often(row)
    return [columns.link(row), when, payment_amount(row), payment_state(row), frequency, columns.paid_from(row)]


def _refund(row: Refund) -> list[object]:
    state = columns.tinted(row, "status", REFUND_TONES)
    shown = columns.amount(row.amount, row.currency)
    return [columns.link(row), columns.moment(row.created_at), shown, state, row.reason or NONE]


def refund_part(payments: list[Payment]) -> Table:
    """Return the refunds of these payments as a table, each with a link to its payment. Prefetch `refunds`."""
    head = [_("Refund"), _("Payment"), _("Made"), _("Amount"), _("Status"), _("Reason")]
    pairs = [(refund, payment) for payment in payments for refund in payment.refunds.all()]
    return Table(_("Refunds"), head, [_refund_of(*pair) for pair in pairs], empty=_("Nothing was sent back."))


def _refund_of(refund: Any, payment: Payment) -> list[object]:
    from_here, when = columns.link(payment), columns.moment(refund.created_at)
    shown, state = columns.amount(refund.amount, refund.currency), columns.tinted(refund, "status", REFUND_TONES)
    return [columns.link(refund), from_here, when, shown, state, refund.reason or NONE]
