"""The desk's lists of checkouts (attempts to give), of the consents given with them, and of guarded times."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import Consent
from payments.desk import columns
from payments.desk.columns import NONE
from payments.desk.filters import CurrencyFilter, LanguageFilter, OneSupporter
from payments.desk.pages import DeskAdmin, Fact, Part, Text
from payments.desk.search import FindsByPerson, supporters_like
from payments.desk.tables.checkouts import checkout_amount, checkout_state, checkout_table
from payments.desk.tables.payments import payment_table
from payments.guard import held
from payments.models import Checkout, DoorPeriod


@admin.register(Checkout)
class CheckoutAdmin(FindsByPerson):
    exact = ("stripe_session_id",)
    typed_email = "email"
    page_related = ("supporter", "consent", "campaign", "appeal")
    list_display = (
        "reference",
        "name",
        "email",
        checkout_amount,
        "frequency",
        checkout_state,
        columns.moment_column("created_at", gettext_lazy("started")),
        "campaign",
    )
    list_filter = ("status", "frequency", CurrencyFilter, "campaign", "created_at", LanguageFilter, OneSupporter)
    list_select_related = ("campaign",)

    def of_persons(self, term: str) -> Q:
        """Search the typed name and email too: an unfinished checkout has no supporter yet."""
        return super().of_persons(term) | supporters_like(term)

    def facts(self, row: Checkout) -> list[Fact]:
        return [
            (_("Reference"), columns.code(row.reference)),
            (_("Status"), checkout_state(row)),
            (_("Supporter"), columns.person(row.supporter)),
            (_("Typed name"), row.name or NONE),
            (_("Typed address"), row.email),
            (_("Amount"), checkout_amount(row)),
            (_("Frequency"), row.get_frequency_display()),
            (_("Started"), columns.moment(row.created_at)),
            (_("Completed"), columns.moment(row.completed_at)),
            (_("Last decline"), row.failure_code or NONE),
            (_("Language"), row.language),
            (_("Campaign"), row.campaign or NONE),
            (_("Appeal"), row.appeal or NONE),
            (_("Article"), row.article or NONE),
            (_("Consent"), columns.link(row.consent)),
            (_("Session at Stripe"), columns.code(row.stripe_session_id)),
        ]

    def parts(self, row: Checkout) -> list[Part]:
        return [payment_table(row.payments.all())]


@admin.register(Consent)
class ConsentAdmin(DeskAdmin):
    list_display = (
        columns.number,
        "purpose",
        "words_version",
        "language",
        "surface",
        columns.moment_column("given_at", gettext_lazy("when")),
    )
    list_filter = ("given_at",)

    def facts(self, row: Consent) -> list[Fact]:
        return [
            (_("Purpose"), row.purpose),
            (_("Version of the words"), columns.code(row.words_version)),
            (_("Language"), row.language),
            (_("Where"), row.surface),
            (_("When"), columns.moment(row.given_at)),
        ]

    def parts(self, row: Consent) -> list[Part]:
        return [Text(_("The words they saw"), row.words), checkout_table(row.checkouts.all())]


def door_held(period: DoorPeriod) -> str:
    count, sums = held.count(period)
    return f"{count} ({', '.join(sums)})" if count else "0"


@admin.register(DoorPeriod)
class DoorPeriodAdmin(DeskAdmin):
    list_display = (
        columns.number,
        "state",
        columns.moment_column("since", gettext_lazy("since")),
        columns.moment_column("until", gettext_lazy("until")),
        "declines",
        "begun",
        "suspects",
    )
    list_filter = ("state", "since")

    def facts(self, row: DoorPeriod) -> list[Fact]:
        return [
            (_("The way to give"), row.get_state_display()),
            (_("Since"), columns.moment(row.since)),
            (_("Until"), columns.moment(row.until)),
            (_("Cards that failed within an hour, when it began"), row.declines),
            (_("Gifts begun within minutes, when it began"), row.begun),
            (_("Suspicious sources, when it began"), row.suspects),
            (_("Gifts not through"), door_held(row)),
        ]
