"""Disputes at the desk: what a bank took back, why, until when it waits for an answer. They are answered at Stripe."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.mail.rendering import render
from members.models import Message
from payments.admin.ledger import ledger_table
from payments.desk import columns
from payments.desk.acts.act import Act, Confirmation
from payments.desk.acts.untold import why_untold
from payments.desk.columns import BAD, GOOD, LATE, NONE, column
from payments.desk.filters import CurrencyFilter, OnePayment
from payments.desk.mail_as_sent import without_keys
from payments.desk.pages import Fact, Part, Table
from payments.desk.search import FindsByPerson
from payments.letters import refunds as refund_letters
from payments.models import Dispute, LedgerEntry

TONES = dict.fromkeys(Dispute.OPEN, LATE) | {Dispute.Status.WON: GOOD, Dispute.Status.LOST: BAD}


class AskSupporter(Act):
    """A letter that is never sent by itself: whether it helps, a person knows."""

    slug = "ask"
    label = gettext_lazy("Write to the supporter")
    is_confirmed = True

    def is_open(self, row: Dispute) -> bool:
        return row.withdrawn_amount > 0 and not _was_asked(row)

    def question(self, row: Dispute) -> str:
        return _("Ask the supporter what was wrong?")

    def consequences(self, row: Dispute) -> list[object]:
        return [_("Nothing happens yet. The next page shows the letter.")]

    def confirmation(self, row: Dispute, answers: dict[str, Any]) -> Confirmation:
        letter = render(refund_letters.dispute_note_draft(row))
        shown, email = replace(letter, text=without_keys(letter.text)), row.payment.supporter.email
        if why_untold(email):
            return Confirmation(self.question(row), [_("No letter can go out.")], "", shown, email)
        sentences = [_("One letter goes out. Nothing changes at Stripe: the dispute is answered there.")]
        return Confirmation(self.question(row), sentences, _("Send the letter now"), shown, email)

    def told_before(self, row: Dispute, wish: uuid.UUID) -> str:
        return _("The letter is on its way.") if _was_asked(row) else ""

    def perform(self, row: Dispute, answers: dict[str, Any], actor: User) -> str:
        with transaction.atomic():
            refund_letters.dispute_note(row)
        return _("The letter is on its way.")


def _was_asked(row: Dispute) -> bool:
    return Message.objects.filter(key=f"{refund_letters.DISPUTE_NOTE}:{row.stripe_dispute_id}").exists()


@admin.register(Dispute)
class DisputeAdmin(FindsByPerson):
    acts = (AskSupporter(),)
    exact = ("stripe_dispute_id",)
    person = "payment__supporter"
    page_related = ("payment__supporter",)
    list_display = (
        columns.number,
        columns.person_column("payment.supporter"),
        columns.amount_column(gettext_lazy("amount")),
        columns.state_column("status", gettext_lazy("status"), TONES),
        "reason",
        column(gettext_lazy("payment"))(lambda row: columns.link(row.payment)),
        columns.moment_column("respond_by", gettext_lazy("answer by")),
        columns.moment_column("created_at", gettext_lazy("opened")),
    )
    list_filter = ("status", CurrencyFilter, "created_at", OnePayment)
    list_select_related = ("payment__supporter",)

    def facts(self, row: Dispute) -> list[Fact]:
        return [
            (_("Supporter"), columns.person(row.payment.supporter)),
            (_("Payment"), columns.link(row.payment)),
            (_("Amount"), columns.amount(row.amount, row.currency)),
            (_("Taken from us"), columns.amount(row.withdrawn_amount or None, row.currency)),
            (_("Status"), columns.tinted(row, "status", TONES)),
            (_("Reason"), row.reason or NONE),
            (_("Opened"), columns.moment(row.created_at)),
            (_("Answer at Stripe by"), columns.moment(row.respond_by)),
            (_("At Stripe"), columns.code(row.stripe_dispute_id)),
        ]

    def parts(self, row: Dispute) -> list[Part]:
        sources = [f"dispute:{row.stripe_dispute_id}", f"dispute_returned:{row.stripe_dispute_id}"]
        own = LedgerEntry.objects.filter(source__in=sources)
        return [ledger_table(own | LedgerEntry.objects.filter(settles__source__in=sources))]


def dispute_table(rows: object) -> Table:
    """The disputes of one payment, for its page."""
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
