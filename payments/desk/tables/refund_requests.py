"""Refund requests in a table of a desk page, and the tones of their states."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from payments.desk import columns
from payments.desk.columns import BAD, GOOD, LATE
from payments.desk.pages import Table
from payments.models import RefundRequest

TONES = {
    RefundRequest.State.REQUESTED: LATE,
    RefundRequest.State.ACCEPTED: LATE,
    RefundRequest.State.SEEN: GOOD,
    RefundRequest.State.FAILED: BAD,
}


def request_table(rows: Iterable[RefundRequest], currency: str = "") -> Table:
    """Return refund requests as a table. Give the `currency` for one payment; otherwise fetch the payments too."""
    head = [_("Asked"), _("Amount"), _("State"), _("Reason"), _("Asked by"), _("Request")]
    return Table(_("Refunds asked of Stripe"), head, [_request(row, currency) for row in rows], empty=_("None."))


def _request(row: RefundRequest, currency: str) -> list[object]:
    shown = columns.amount(row.amount, currency or row.payment.currency)
    state, by = columns.tinted(row, "state", TONES), row.actor or _("the software")
    words = row.get_reason_display()
    return [columns.moment(row.requested_at), shown, state, words, by, columns.link(row, f"#{row.pk}")]
