"""Forms for campaigns and appeals at the staff desk. Each error says what to do next."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from appeals.models import AppealAmounts, AppealWords, Campaign
from members import sums

MOST_WORDS, MOST_PARAGRAPHS = 90, 4
PLACEHOLDERS = ("{reached}", "{goal}")
CURRENCIES = [(code, code) for code in settings.CURRENCIES]


class CampaignForm(forms.ModelForm):
    """A campaign. Money goals are typed and shown in major units; the row stores minor units."""

    goal = forms.DecimalField(
        label=_("Goal"),
        required=False,
        min_value=0,
        max_digits=15,
        help_text=_("A number of people or gifts, or money as people say it: 20000. Empty: no goal."),
    )
    goal_currency = forms.ChoiceField(
        label=_("Currency of the goal"),
        choices=[("", "–"), *CURRENCIES],
        required=False,
        help_text=_("For a goal of money only. Gifts in other currencies are not counted."),
    )
    starting_value = forms.DecimalField(
        label=_("Already reached elsewhere"),
        required=False,
        min_value=0,
        max_digits=15,
        help_text=_("In the same unit as the goal. It is added to what is counted here."),
    )

    class Meta:
        model = Campaign
        fields = (
            "title",
            "slug",
            "is_active",
            "starts_on",
            "ends_on",
            "goal_kind",
            "goal",
            "goal_currency",
            "starting_value",
            "show_from_percent",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        if row.goal_kind == Campaign.Goal.MONEY and row.goal_currency:
            for name in ("goal", "starting_value"):
                value = getattr(row, name)
                self.initial[name] = None if value is None else sums.to_major(value, row.goal_currency)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_on = cleaned.get("starts_on")
        ends_on = cleaned.get("ends_on")
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", gettext("The last day is before the first. Choose a later one, or none."))
        if cleaned.get("goal") == 0:
            self.add_error("goal", gettext("A goal is above zero. Leave it empty for a campaign without one."))
        if (cleaned.get("show_from_percent") or 0) > 100:
            self.add_error("show_from_percent", gettext("Choose a share between 0 and 100."))
        if "starting_value" in cleaned:
            cleaned["starting_value"] = cleaned["starting_value"] or Decimal(0)
        self._convert_units(cleaned)
        return cleaned

    def _convert_units(self, cleaned: dict[str, Any]) -> None:
        """Convert goal and starting value: money to minor units of its currency, anything else to a whole number.

        Adds an error if a money goal has no currency.
        """
        is_money = cleaned.get("goal_kind") == Campaign.Goal.MONEY
        if not is_money:
            cleaned["goal_currency"] = ""
        elif not cleaned.get("goal_currency"):
            self.add_error("goal_currency", gettext("A goal of money needs its currency. Choose one."))
            return
        for name in ("goal", "starting_value"):
            if cleaned.get(name) is not None:
                cleaned[name] = self._whole(name, cleaned[name], cleaned["goal_currency"])

    def _whole(self, name: str, value: Decimal, currency: str) -> int | None:
        """Return a field's value as an integer, in minor units if there is a currency; add an error if it is none."""
        try:
            return sums.to_minor(value, currency) if currency else sums.whole(value)
        except ValueError:
            self.add_error(name, gettext("Fewer decimals, please: such a number cannot be reached exactly."))
            return None


class AppealWordsForm(forms.ModelForm):
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    class Meta:
        model = AppealWords
        fields = ("language", "kicker", "headline", "body", "marked", "button", "other_ways", "goal_line")
        widgets = {"body": forms.Textarea(attrs={"rows": 9}), "marked": forms.Textarea(attrs={"rows": 2})}

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"].replace("\r\n", "\n").strip()
        words = len(body.split())
        if words > MOST_WORDS:
            problem = ngettext(
                "This is %(count)d word. Leave some out: 90 at most are read at the end of an article.",
                "These are %(count)d words. Leave some out: 90 at most are read at the end of an article.",
                words,
            )
            raise forms.ValidationError(problem % {"count": words})
        if len([part for part in body.split("\n\n") if part.strip()]) > MOST_PARAGRAPHS:
            raise forms.ValidationError(gettext("Four paragraphs at most. Join some, or leave some out."))
        return body

    def clean_goal_line(self) -> str:
        line: str = self.cleaned_data["goal_line"]
        unknown = [name for name in re.findall(r"\{[^}]*\}?", line) if name not in PLACEHOLDERS]
        if unknown:
            problem = gettext("Only {reached} and {goal} can stand in braces; %(name)s cannot.")
            raise forms.ValidationError(problem % {"name": unknown[0]})
        if line and not all(place in line for place in PLACEHOLDERS):
            raise forms.ValidationError(
                gettext("Say both numbers: {reached} and {goal}. Or leave the line empty for ordinary words.")
            )
        return line


class AppealAmountsForm(forms.ModelForm):
    currency = forms.ChoiceField(label=_("Currency"), choices=CURRENCIES)
    monthly = forms.CharField(
        label=_("Amounts a month"), max_length=60, help_text=_("Two to four whole amounts, ascending: 5, 10, 20, 50")
    )

    class Meta:
        model = AppealAmounts
        fields = ("currency", "monthly", "chosen")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["monthly"] = ", ".join(str(amount) for amount in self.instance.monthly or [])

    def clean_monthly(self) -> list[int]:
        parts = [part.strip() for part in self.cleaned_data["monthly"].split(",")]
        if not 2 <= len(parts) <= 4 or not all(re.fullmatch("[0-9]{1,7}", part) for part in parts):
            raise forms.ValidationError(gettext("Give two to four whole amounts with commas between: 5, 10, 20, 50."))
        monthly = [int(part) for part in parts]
        if monthly[0] < 1 or monthly != sorted(set(monthly)):
            raise forms.ValidationError(gettext("Put amounts above zero in ascending order, each one once."))
        return monthly

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "monthly" in cleaned and "chosen" in cleaned and cleaned["chosen"] not in cleaned["monthly"]:
            self.add_error("chosen", gettext("Choose one of the amounts beside it."))
        return cleaned
