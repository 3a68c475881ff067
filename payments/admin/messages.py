"""The desk's list of messages: emails that were sent, wait or failed, as they were sent, and sending one again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from members.models import Message
from payments.desk import columns, letters
from payments.desk.acts.messages import ResendMessage
from payments.desk.filters import LanguageFilter, OneSupporter
from payments.desk.mail_as_sent import without_keys
from payments.desk.pages import Fact, Part, Text, is_list
from payments.desk.search import FindsByPerson
from payments.desk.tables.messages import WAITING, delivery, letter_link, message_state
from payments.desk.timeline import letter_in_words
from payments.inbox.masking import without_addresses


@admin.register(Message)
class MessageAdmin(FindsByPerson):
    acts = (ResendMessage(),)
    typed_email = "to_email"
    exact = ("key",)
    page_related = ("supporter",)
    list_display = (
        columns.number,
        "kind",
        "to_email",
        "subject",
        message_state,
        "attempts",
        columns.moment_column("created_at", gettext_lazy("created")),
        columns.moment_column("sent_at", gettext_lazy("sent")),
    )
    list_filter = ("state", "created_at", LanguageFilter, OneSupporter)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        return rows.defer("body_text", "body_html", "context") if is_list(request) else rows

    def of_persons(self, term: str) -> Q:
        """Search emails by their supporter, which an index serves; without a match, by the address of all others."""
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
        text = without_keys(row.body_text) or _("It is written when it is sent.")
        return [*parts, Text(_("What it says, without the reader’s own links"), text)]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.letter)
        letter = path("<int:pk>/letter/", view, name="members_message_letter")
        return [letter, *letters.addresses(self), *super().get_urls()]

    def letter(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Show the HTML part of an email on a page that blocks scripts, requests and forms.

        Raises PermissionDenied, and Http404 for an email that does not exist or has no HTML part.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_queryset(request).filter(pk=pk).exclude(body_html="").first()
        if row is None:
            raise Http404
        self.log_act(request, row, "read")
        return letters.page_of(request, row.body_html)
