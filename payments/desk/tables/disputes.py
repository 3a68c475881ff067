"""Disputes in a table of a desk page, and the tones of their states."""

from __future__ import annotations

from django.utils.translation import gettext as _

from payments.desk import columns
from payments.desk.columns import BAD, GOOD, LATE, NONE
from payments.desk.pages import Table
from payments.models import Dispute

TONES = dict.fromkeys(Dispute.OPEN, LATE) | {Dispute.Status.WON: GOOD, Dispute.Status.LOST: BAD}


def dispute_table(rows: object) -> Table:
    """Return the disputes of one payment as a table."""
    head = (_("Dispute"), _("Amount"), _("Status"), _("Reason"), _("Opened"))
    found = [
        (
            columns.link(row),
            columns.amount(row.amount, row.currency),
            columns.tinted(row, "status", TONES),
            row.reason or NONE,
            columns.moment(row.created_at),
        )
        for row in rows  # type: ignore[attr-defined]
    ]
    return Table(_("Disputes"), head, found, empty=_("No bank took it back."))
