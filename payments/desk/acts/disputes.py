"""The act on a dispute: email the supporter. The dispute itself is answered at Stripe."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.mail.rendering import render
from members.models import Message
from payments.desk.acts.act import Act, Confirmation
from payments.desk.acts.no_letter import why_no_letter
from payments.desk.mail_as_sent import without_keys
from payments.letters import refunds as refund_letters
from payments.models import Dispute


class AskSupporter(Act):
    """Email the supporter about the dispute. This is never automatic: a person decides whether it helps."""

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
        if why_no_letter(email):
            return Confirmation(self.question(row), [_("No letter can go out.")], "", shown, email)
        sentences = [_("One letter goes out. Nothing changes at Stripe: the dispute is answered there.")]
        return Confirmation(self.question(row), sentences, _("Send the letter now"), shown, email)

    def message_before(self, row: Dispute, request_id: uuid.UUID) -> str:
        return _("The letter is on its way.") if _was_asked(row) else ""

    def perform(self, row: Dispute, answers: dict[str, Any], actor: User) -> str:
        with transaction.atomic():
            refund_letters.dispute_note(row)
        return _("The letter is on its way.")


def _was_asked(row: Dispute) -> bool:
    return Message.objects.filter(key=f"{refund_letters.DISPUTE_NOTE}:{row.stripe_dispute_id}").exists()
