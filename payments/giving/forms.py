"""The reader's two forms: what to give (ChoiceForm), and to whom the receipt goes (PersonForm).

They turn what was typed into a Choice and a Person, and what cannot be accepted into sentences that say what to do.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appeals.models import Appeal, Campaign
from payments import money
from payments.giving.choices import Choice, Person
from payments.models import Frequency
from payments.money import AmountError

ATTRIBUTION = ("campaign", "appeal", "article")
# Addresses one slip away from these are asked about; the rest are real neighbours that are not.
USUAL_DOMAINS = ("gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "protonmail.com", "ukr.net")
REAL_NEIGHBOURS = ("email.com", "ymail.com", "mail.com")


def amount_sentence(problem: AmountError, currency: str) -> str:
    """What to do about an amount that was not accepted."""
    limit = money.format(problem.limit, currency, short=True) if problem.limit is not None else ""
    sentences = {
        "empty": _("Choose an amount, or write one"),
        "ambiguous": _("Write the amount without a separator between thousands, such as 1000 or 1000.50"),
        "negative": _("Write an amount above zero, without a minus sign"),
        "too_small": _("The least you can give this way is %(limit)s. Less costs more in fees than it brings"),
        "too_large": _("The most you can give this way is %(limit)s. For more, use a bank transfer or write to us"),
        "decimals": _("Write the amount with two decimals at most, such as 10.50")
        if money.exponent(currency)
        else _("This currency has no decimals. Write a whole number, such as 1500"),
    }
    return sentences.get(problem.code, _("Write the amount in figures, such as 10 or 10.50")) % {"limit": limit}


class ChoiceForm(forms.Form):
    """Frequency, amount, currency and where the reader came from. After is_valid(), `choice` holds them."""

    frequency = forms.ChoiceField(
        choices=Frequency.choices,
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose how often you want to give")),
    )
    currency = forms.CharField(error_messages={"required": gettext_lazy("Choose a currency")})
    choice: Choice

    @property
    def typed_amount(self) -> str:
        """A typed amount counts when it was asked for, or when no other was chosen."""
        chosen = str(self.data.get("amount") or "")
        return str(self.data.get("other_amount") or "") if chosen in ("", "other") else chosen

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).strip().upper()
        if code not in settings.CURRENCIES:
            raise ValidationError(_("Choose a currency from the list"))
        return code

    def clean(self) -> dict[str, Any]:
        frequency, currency = self.cleaned_data.get("frequency"), self.cleaned_data.get("currency")
        if currency:
            try:
                amount = money.parse(self.typed_amount, currency)
                if frequency:
                    money.check_limits(amount, currency, frequency)
                    self.choice = Choice(frequency, amount, currency, **attribution(self.data))
            except AmountError as problem:
                self.add_error(None, ValidationError(amount_sentence(problem, currency), code=problem.code))
        return self.cleaned_data


def attribution(data: Any) -> dict[str, Any]:
    """Which ask led here. What we do not know is left out: it never stands in the way of a gift."""
    appeal = Appeal.objects.select_related("campaign").filter(slug=_slug(data.get("appeal"))).first()
    campaign = appeal.campaign if appeal else Campaign.objects.filter(slug=_slug(data.get("campaign"))).first()
    return {"campaign": campaign, "appeal": appeal, "article": _one_line(data.get("article"))[:120]}


class OneLineField(forms.CharField):
    """A line of text in any script: control characters become spaces, spaces are never doubled."""

    def to_python(self, value: Any) -> str:
        return _one_line(super().to_python(value))


class EmailField(forms.EmailField):
    """An address as typed, without the invisible characters that copying brings along."""

    def to_python(self, value: Any) -> str:
        visible = "".join(character for character in str(value or "") if unicodedata.category(character) != "Cf")
        return visible.strip()

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except ValidationError:
            raise ValidationError(email_sentence(self.to_python(value))) from None


class PersonForm(forms.Form):
    """The address for the receipt and, if given, a name. After is_valid(), `person(language)` holds them."""

    email = EmailField(max_length=254)
    name = OneLineField(
        max_length=120, required=False, error_messages={"max_length": gettext_lazy("Use 120 characters at most")}
    )
    website = forms.CharField(required=False)  # people do not see it; programs that fill in everything do

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise ValidationError(_("A hidden field was filled in by your browser. It is empty now: try again"))
        return ""

    def person(self, language: str) -> Person:
        return Person(self.cleaned_data["email"], self.cleaned_data["name"], language)


def email_sentence(email: str) -> str:
    """What to do about an address that cannot be one."""
    local, at, domain = email.rpartition("@")
    if not email:
        return _("Write your email address: the receipt goes there")
    if len(email) > 254:
        return _("Use an address of 254 characters at most")
    if not at:
        return _("Add the @ and what follows it, such as olena@example.org")
    if not domain:
        return _("Add the part after the @, such as olena@example.org")
    if not local.isascii():
        return _("Check the part before the @: it must be in Latin letters")
    if local and not re.search(r"\w\.\w", domain):
        return _("Check the part after the @, such as example.org")
    return _("Check the address: it should look like olena@example.org")


def likely_email(email: str) -> str:
    """The address that was perhaps meant, with a usual domain in place of one that is a slip away; or nothing."""
    local, at, domain = email.rpartition("@")
    domain = domain.lower()
    if not (local and at) or domain in USUAL_DOMAINS + REAL_NEIGHBOURS:
        return ""
    return next((f"{local}@{usual}" for usual in USUAL_DOMAINS if _one_slip_apart(domain, usual)), "")


def _one_slip_apart(left: str, right: str) -> bool:
    """A letter more, less or other, or two changed places. static/give.js says the same."""
    while left and right and left[0] == right[0]:
        left, right = left[1:], right[1:]
    while left and right and left[-1] == right[-1]:
        left, right = left[:-1], right[:-1]
    return max(len(left), len(right)) == 1 or (len(left) == 2 and left == right[::-1])


def _slug(value: Any) -> str:
    text = str(value or "")
    return text if re.fullmatch(r"[-a-zA-Z0-9_]{1,50}", text) else ""


def _one_line(value: Any) -> str:
    printable = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") else c for c in str(value or ""))
    return " ".join(printable.split())
