"""The act on an email: send it again."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.mail import outbox
from members.models import Message, TimelineEntry
from payments.desk.acts.act import Act
from payments.desk.acts.no_letter import why_no_letter
from payments.desk.tables.messages import WAITING


class ResendMessage(Act):
    slug = "resend"
    label = gettext_lazy("Send this message again")

    def is_open(self, row: Message) -> bool:
        return row.state not in WAITING and row.trimmed_at is None and row.withheld != Message.Withheld.ERASED

    def question(self, row: Message) -> str:
        return _("Send this message again?")

    def consequences(self, row: Message) -> list[object]:
        address = row.supporter.email if row.supporter else row.to_email
        sent = _("The same letter goes to %(address)s, as a message of its own.") % {"address": address}
        first = why_no_letter(address) or sent
        facts = _("Amounts and dates in it stay those of the first one.")
        if row.state == Message.State.UNKNOWN:
            return [first, facts, _("Nobody knows whether the first one arrived: they may get it twice.")]
        return [first, facts]

    def perform(self, row: Message, answers: dict[str, Any], actor: User) -> str:
        with transaction.atomic():
            copy = outbox.resend(row)
            if row.supporter_id:
                TimelineEntry.objects.create(
                    supporter_id=row.supporter_id,
                    action="message.resent",
                    actor=actor,
                    details={"message": row.pk, "copy": copy.pk, "kind": row.kind},
                )
        return _("The message is on its way. It has a page of its own.")
