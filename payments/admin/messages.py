"""Messages at the desk: what was sent, what could not be, and sending one again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from members.mail import outbox as mail
from members.models import Message, TimelineEntry
from payments.desk import columns, letters
from payments.desk.acts.act import Act
from payments.desk.acts.untold import why_untold
from payments.desk.columns import BAD, GOOD, LATE, column
from payments.desk.filters import LanguageFilter, OneSupporter
from payments.desk.mail_as_sent import without_keys
from payments.desk.pages import Fact, Part, Table, Text, is_list
from payments.desk.search import FindsByPerson
from payments.desk.timeline import letter_in_words
from payments.inbox.masking import without_addresses

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


class ResendMessage(Act):
    slug = "resend"
    label = gettext_lazy("Send this message again")

    def is_open(self, row: Message) -> bool:
        return row.state not in WAITING

    def question(self, row: Message) -> str:
        return _("Send this message again?")

    def consequences(self, row: Message) -> list[object]:
        address = row.supporter.email if row.supporter else row.to_email
        goes = _("The same letter goes to %(address)s, as a message of its own.") % {"address": address}
        first = why_untold(address) or goes
        facts = _("Amounts and dates in it stay those of the first one.")
        if row.state == Message.State.UNKNOWN:
            return [first, facts, _("Nobody knows whether the first one arrived: they may get it twice.")]
        return [first, facts]

    def perform(self, row: Message, answers: dict[str, Any], actor: User) -> str:
        with transaction.atomic():
            copy = mail.resend(row)
            if row.supporter_id:
                TimelineEntry.objects.create(
                    supporter_id=row.supporter_id, action="message.resent", actor=actor,
                    details={"message": row.pk, "copy": copy.pk, "kind": row.kind},
                )  # fmt: skip
        return _("The message is on its way. It has a page of its own.")


@column(gettext_lazy("state"))
def message_state(row: Message) -> SafeString:
    return columns.tinted(row, "state", TONES)


def delivery(row: Message) -> str | SafeString:
    """What the mail provider told afterwards, if it did."""
    return columns.tinted(row, "delivery", DELIVERY_TONES) if row.delivery else columns.NONE


@admin.register(Message)
class MessageAdmin(FindsByPerson):
    acts = (ResendMessage(),)
    exact = ("key",)
    page_related = ("supporter",)
    list_display = (
        columns.number, "kind", "to_email", "subject", message_state, "attempts",
        columns.moment_column("created_at", gettext_lazy("created")),
        columns.moment_column("sent_at", gettext_lazy("sent")),
    )  # fmt: skip
    list_filter = ("state", "created_at", LanguageFilter, OneSupporter)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        return rows.defer("body_text", "body_html", "context") if is_list(request) else rows

    def of_persons(self, term: str) -> Q:
        """Letters to supporters by index; only when nobody is found, those to somebody who is none, one by one."""
        of_supporters = super().of_persons(term)
        if Message.objects.filter(of_supporters).order_by().exists():
            return of_supporters
        return Q(supporter=None, to_email__icontains=term)

    def facts(self, row: Message) -> list[Fact]:
        return [
            (_("Kind"), letter_in_words(row.kind)),
            (_("State"), message_state(row)),
            (_("Supporter"), columns.person(row.supporter)),
            (_("To"), row.to_email),
            (_("Language"), get_language_info(row.language)["name_translated"]),
            (_("Subject"), row.subject or columns.NONE),
            (_("Created"), columns.moment(row.created_at)),
            (_("Sent"), columns.moment(row.sent_at)),
            (_("Delivery"), delivery(row)),
            (_("Told by the provider"), columns.moment(row.delivery_at)),
            (_("Tries"), row.attempts),
            (_("Handed over without an answer"), row.unanswered),
            (_("Next try"), columns.moment(row.next_try_at) if row.state in WAITING else columns.NONE),
            (_("Key"), columns.code(row.key)),
            (_("As HTML"), letter_link(row)),
        ]

    def parts(self, row: Message) -> list[Part]:
        parts = [Text(_("Error"), without_addresses(row.error))] if row.error else []
        said = without_keys(row.body_text) or _("It is written when it is sent.")
        return [*parts, Text(_("What it says, without the reader’s own links"), said)]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.letter)
        letter = path("<int:pk>/letter/", view, name="members_message_letter")
        return [letter, *letters.addresses(self), *super().get_urls()]

    def letter(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The HTML part on a page of its own, which can do nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = Message.objects.filter(pk=pk).exclude(body_html="").first()
        if row is None:
            raise Http404
        return letters.page_of(request, row.body_html)


def letter_link(row: Message) -> str | SafeString:
    if not row.body_html:
        return columns.NONE
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:members_message_letter", args=[row.pk]), _("Open the letter")
    )


def message_table(rows: Iterable[Message], more: str = "", *, may_resend: bool = False) -> Table:
    """Each letter can be opened as it was sent and, by whoever may, sent again."""
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
