"""Levels at the staff desk: the amounts that earn each level, and its name in each language."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from members import sums
from members.admin.plain import PlainAdmin
from members.models import Level, LevelAmount, LevelName


class LevelNameForm(forms.ModelForm):
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    class Meta:
        model = LevelName
        fields = ("language", "name")


class LevelAmountForm(forms.ModelForm):
    """An amount typed and shown in major units, such as 10.50; the row stores minor units."""

    currency = forms.ChoiceField(label=_("Currency"))
    from_amount = forms.DecimalField(
        label=_("From this much a month"),
        min_value=Decimal("0.01"),
        max_digits=12,
        help_text=_("Such as 10 or 10.50. Of a yearly gift a twelfth counts."),
    )

    class Meta:
        model = LevelAmount
        fields = ("currency",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            row = self.instance
            self.initial["from_amount"] = sums.to_major(row.monthly_amount, row.currency)
        codes = dict.fromkeys([*settings.CURRENCIES, *([self.instance.currency] if self.instance.pk else [])])
        cast(forms.ChoiceField, self.fields["currency"]).choices = [(code, code) for code in codes]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "from_amount" in cleaned and "currency" in cleaned:
            self._store_in_minor_units(cleaned["from_amount"], cleaned["currency"])
        return cleaned

    def _store_in_minor_units(self, amount: Decimal, currency: str) -> None:
        """Set the row's amount, or add an error if the currency has fewer decimals than were typed."""
        try:
            self.instance.monthly_amount = sums.to_minor(amount, currency)
        except ValueError:
            problem = gettext("%(currency)s is not written with that many decimals. Leave some out.")
            self.add_error("from_amount", problem % {"currency": currency})


class LevelNames(admin.TabularInline):
    model = LevelName
    form = LevelNameForm
    extra = 0
    min_num = 1


class LevelAmounts(admin.TabularInline):
    model = LevelAmount
    form = LevelAmountForm
    extra = 0


@admin.register(Level)
class LevelAdmin(PlainAdmin):
    list_display = ("called", "slug", "rank", "earned_from", "grace_days")
    list_display_links = ("called",)
    inlines = (LevelNames, LevelAmounts)
    fieldsets = (
        (
            None,
            {
                "fields": ("slug", "rank", "grace_days", "stays_when_sent_back"),
                "description": _(
                    "A gift earns the highest level whose monthly amount it reaches, and the lowest one in any case. "
                    "What you change here counts from the next payment on."
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("names", "amounts")

    def get_readonly_fields(self, request: HttpRequest, obj: Level | None = None) -> tuple[str, ...]:
        """Make the short name read-only once the level exists: other servers identify the level by it."""
        return ("slug",) if obj else ()

    @admin.display(description=_("name"))
    def called(self, row: Level) -> str:
        return row.name()

    @admin.display(description=_("earned from, a month"))
    def earned_from(self, row: Level) -> str:
        language = get_language() or settings.LANGUAGE_CODE
        amounts = sorted(row.amounts.all(), key=lambda amount: amount.currency)
        written = [
            sums.say(sums.to_major(each.monthly_amount, each.currency), each.currency, language) for each in amounts
        ]
        return ", ".join(written) or gettext("any amount")
