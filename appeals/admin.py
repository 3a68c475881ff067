"""Campaigns (goal and dates) and appeals (words and suggested amounts) at the staff desk. Forms are in forms.py."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from appeals import blocks
from appeals.forms import AppealAmountsForm, AppealWordsForm, CampaignForm
from appeals.models import Appeal, AppealAmounts, AppealWords, Campaign
from members import clock
from members.admin.plain import PlainAdmin

PUBLISH = "appeals.publish_campaign"


class CampaignAppeals(admin.TabularInline):
    model = Appeal
    fields = ("slug", "is_active")
    extra = 0
    show_change_link = True


class Drafts(PlainAdmin):
    """A list of rows that readers may see: who may not publish changes only what readers do not see yet."""

    def is_public(self, row: Any) -> bool:
        raise NotImplementedError

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and self.is_public(obj) and not request.user.has_perm(PUBLISH):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(PUBLISH) and super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = tuple(super().get_readonly_fields(request, obj))
        return readonly if request.user.has_perm(PUBLISH) else (*readonly, "is_active")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change and not request.user.has_perm(PUBLISH):
            obj.is_active = False
        super().save_model(request, obj, form, change)


@admin.register(Campaign)
class CampaignAdmin(Drafts):
    form = CampaignForm
    list_display = ("title", "current_state", "reached", "starts_on", "ends_on", "slug")
    list_filter = ("is_active", "starts_on")
    search_fields = ("title", "slug")
    sortable_by = ()
    inlines = (CampaignAppeals,)
    readonly_fields = ("reached", "counted", "support_address", "api_address")
    fieldsets = (
        (None, {"fields": ("title", "slug", "is_active", "starts_on", "ends_on")}),
        (
            _("Goal"),
            {
                "fields": ("goal_kind", "goal", "goal_currency", "starting_value", "show_from_percent"),
                "description": _("Readers see the goal. A change of it is kept in the history of this page."),
            },
        ),
        (_("So far"), {"fields": ("reached", "counted")}),
        (_("Addresses to copy"), {"fields": ("support_address", "api_address")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> tuple[str, ...]:
        """Make the slug read-only once the campaign exists: other sites and gifts refer to it."""
        readonly = super().get_readonly_fields(request, obj)
        return (*readonly, "slug") if obj else readonly

    def is_public(self, row: Campaign) -> bool:
        return row.is_active

    @admin.display(description=_("state"))
    def current_state(self, row: Campaign) -> SafeString:
        tone, word = ("good", gettext("running")) if row.runs_on(clock.today()) else _reason_not_running(row)
        return format_html('<span class="state {}">{}</span>', tone, word)

    @admin.display(description=_("reached"))
    def reached(self, row: Campaign) -> str:
        language = get_language() or settings.LANGUAGE_CODE
        return blocks.reached_of_goal(row, language) if row.pk else "–"

    @admin.display(description=_("counted"))
    def counted(self, row: Campaign) -> str:
        if row.progress_at is None:
            return gettext("Not yet. Running campaigns are counted every minute.")
        return formats.date_format(timezone.localtime(row.progress_at), "DATETIME_FORMAT")

    @admin.display(description=_("page to support, with this campaign"))
    def support_address(self, row: Campaign) -> SafeString | str:
        return _to_copy(f"{settings.SITE_URL}{blocks.SUPPORT}?campaign={row.slug}") if row.pk else _after_saving()

    @admin.display(description=_("the appeal for other sites, as JSON and HTML"))
    def api_address(self, row: Campaign) -> SafeString | str:
        return _to_copy(settings.SITE_URL + reverse("api_appeal", args=[row.slug])) if row.pk else _after_saving()


class Words(admin.StackedInline):
    model = AppealWords
    form = AppealWordsForm
    extra = 0
    min_num = 1


class Amounts(admin.TabularInline):
    model = AppealAmounts
    form = AppealAmountsForm
    extra = 0


@admin.register(Appeal)
class AppealAdmin(Drafts):
    list_display = ("slug", "campaign", "is_active", "languages")
    list_filter = ("is_active",)
    list_select_related = ("campaign",)
    search_fields = ("slug", "campaign__title")
    sortable_by = ()
    inlines = (Words, Amounts)
    fields = ("campaign", "slug", "is_active")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("words")

    def get_readonly_fields(self, request: HttpRequest, obj: Appeal | None = None) -> tuple[str, ...]:
        """Make the slug read-only once the appeal exists: gifts refer to it."""
        readonly = super().get_readonly_fields(request, obj)
        return (*readonly, "slug") if obj else readonly

    def is_public(self, row: Appeal) -> bool:
        return row.campaign.is_active

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "campaign" and not request.user.has_perm(PUBLISH):
            kwargs["queryset"] = Campaign.objects.filter(is_active=False)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description=_("languages"))
    def languages(self, row: Appeal) -> str:
        names = dict(settings.LANGUAGES)
        return ", ".join(str(names.get(each.language, each.language)) for each in row.words.all()) or "–"


def _reason_not_running(row: Campaign) -> tuple[str, str]:
    """Return the CSS class and the label that say why a campaign does not run today."""
    if not row.is_active:
        return "over", gettext("switched off")
    if row.starts_on > clock.today():
        return "late", gettext("not begun")
    return "over", gettext("over")


def _to_copy(address: str) -> SafeString:
    return format_html("<code>{}</code>", address)


def _after_saving() -> str:
    return gettext("Known once the campaign is saved.")
