"""The desk's list of supporters, the page with everything about one of them, and correcting an email address.

Registered here and not in `members`, because the page shows money as well as people.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.admin.plain import may_see
from members.models import Membership, Supporter
from payments.desk import columns, patron_status, supporter_page
from payments.desk.acts.supporters import CorrectAddress, MarkAtRisk, UnmarkAtRisk
from payments.desk.columns import column
from payments.desk.filters import Giving, LanguageFilter, Patronage
from payments.desk.pages import is_list
from payments.desk.rights.acts import ErasePerson, ExportData
from payments.desk.search import FindsByPerson, supporter_of, supporters_like
from payments.models import Subscription


@column(gettext_lazy("patron"))
def patron_status_shown(row: Supporter) -> SafeString:
    found = patron_status.patron_status(row)
    words = patron_status.status_words(row)
    return format_html("{}<br><small>{}</small>", words, found.level.name()) if found else words


@column(gettext_lazy("gives"))
def gives_shown(row: Supporter) -> str:
    return patron_status.gives(row.subscriptions.all())


@column(gettext_lazy("person"))
def person_shown(row: Supporter) -> SafeString:
    if row.erased_at:
        return columns.named(_("erased"))
    return columns.named(row.name, row.email) if row.name else columns.named(row.email)


@admin.register(Supporter)
class SupporterAdmin(FindsByPerson):
    person = "pk"
    acts = (CorrectAddress(), MarkAtRisk(), UnmarkAtRisk(), ExportData(), ErasePerson())
    page_template = "staff/supporter.html"
    list_display = (
        person_shown,
        patron_status_shown,
        gives_shown,
        "language",
        columns.moment_column("created_at", gettext_lazy("known since")),
    )
    list_filter = (Patronage, Giving, LanguageFilter, "created_at")

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        shows_gifts = may_see(request.user, Subscription)
        return tuple(each for each in self.list_display if shows_gifts or each is not gives_shown)

    def get_list_filter(self, request: HttpRequest) -> tuple[Any, ...]:
        shows_gifts = may_see(request.user, Subscription)
        return tuple(each for each in self.list_filter if shows_gifts or each is not Giving)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Supporter]:
        rows = Membership.objects.select_related("level").prefetch_related("level__names")
        alive = Subscription.objects.alive()
        related = (Prefetch("memberships", rows), Prefetch("subscriptions", alive))
        return super().get_queryset(request).prefetch_related(*(related if is_list(request) else related[:1]))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Supporter], term: str
    ) -> tuple[QuerySet[Supporter], bool]:
        term = term.strip()
        known = supporter_of(term)
        return queryset.filter(Q(pk=known) if known else supporters_like(term)), False

    def page(self, request: HttpRequest, row: Supporter) -> dict[str, Any]:
        return supporter_page.of(row, request.user)
