"""Emails in a table of a desk page: the state and delivery of each, and links to open it or send it again."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import Message
from payments.desk import columns
from payments.desk.columns import BAD, GOOD, LATE, column
from payments.desk.pages import Table
from payments.desk.timeline import letter_in_words

TONES = {
    Message.State.SENT: GOOD,
    Message.State.PENDING: LATE,
    Message.State.SENDING: LATE,
    Message.State.UNKNOWN: LATE,
    Message.State.FAILED: BAD,
}


DELIVERY_TONES = {
    Message.Delivery.DELIVERED: GOOD,
    Message.Delivery.DELAYED: LATE,
    Message.Delivery.BOUNCED: BAD,
    Message.Delivery.COMPLAINED: BAD,
}


WAITING = (Message.State.PENDING, Message.State.SENDING)


@column(gettext_lazy("state"))
def message_state(row: Message) -> SafeString:
    return columns.tinted(row, "state", TONES)


def delivery(row: Message) -> str | SafeString:
    """Return what the mail provider reported about delivery; a dash without a report."""
    return columns.tinted(row, "delivery", DELIVERY_TONES) if row.delivery else columns.NONE


def letter_link(row: Message) -> str | SafeString:
    if not row.body_html:
        return columns.NONE
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:members_message_letter", args=[row.pk]), _("Open the letter")
    )


def message_table(rows: Iterable[Message], more: str = "", *, may_resend: bool = False) -> Table:
    """Return emails as a table. Each can be opened as it was sent and, with `may_resend`, sent again."""
    head = [_("Message"), _("Created"), _("State"), _("Delivery"), _("As HTML")]
    shown = [[*_line(row), *([_resend_link(row)] if may_resend else [])] for row in rows]
    return Table(_("Messages"), [*head, _("Again")] if may_resend else head, shown, more, _("Nothing was sent yet."))


def _line(row: Message) -> list[object]:
    name = columns.link(row, row.subject or letter_in_words(row.kind))
    return [name, columns.moment(row.created_at), message_state(row), delivery(row), letter_link(row)]


def _resend_link(row: Message) -> str | SafeString:
    if row.state in WAITING:
        return columns.NONE
    return format_html('<a href="{}">{}</a>', reverse("admin:members_message_resend", args=[row.pk]), _("Send again"))
