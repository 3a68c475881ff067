"""The reader's two forms: the gift (ChoiceForm), and the address for the receipt (PersonForm).

They convert typed text into a Choice and a Person, or return error messages that say what to do. Used by the views.
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
from members import addresses
from members.models.people import readable_name
from payments import money
from payments.giving.choices import Choice, Person
from payments.models.giving import OFFERED
from payments.money import AmountError

# What the addresses of the forms carry along: where the reader came from, and the link that offers to give again.
CARRIED = ("campaign", "appeal", "article", "again")
# An address whose domain is one typing error away from a usual one is questioned; REAL_NEIGHBOURS exist and are not.
USUAL_DOMAINS = ("gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "protonmail.com", "ukr.net")
REAL_NEIGHBOURS = ("email.com", "ymail.com", "mail.com")
LONGEST_EMAIL, LONGEST_TOKEN = 254, 120


def amount_sentence(problem: AmountError, currency: str) -> str:
    """Return the error message for an amount that was not accepted: it says what to do."""
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
    """Frequency, amount and currency, and the appeal that the reader came from.

    After is_valid(), `choice` holds them if the form is valid.
    """

    frequency = forms.ChoiceField(
        choices=OFFERED,
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose how often you want to give")),
    )
    currency = forms.CharField(error_messages={"required": gettext_lazy("Choose a currency")})
    choice: Choice

    @property
    def typed_amount(self) -> str:
        """Return the text of the amount: the typed one if "other" or nothing was chosen, else the chosen one."""
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
                    again = str(self.data.get("again") or "")[:LONGEST_TOKEN]
                    self.choice = Choice(frequency, amount, currency, again=again, **attribution(self.data))
            except AmountError as problem:
                self.add_error(None, ValidationError(amount_sentence(problem, currency), code=problem.code))
        return self.cleaned_data


def attribution(data: Any) -> dict[str, Any]:
    """Return campaign, appeal and article from the page's parameters. Unknown names become None or "", never an error.

    The campaign of a known appeal counts, not the one in the parameters.
    """
    appeal = Appeal.objects.select_related("campaign").filter(slug=_slug(data.get("appeal"))).first()
    campaign = appeal.campaign if appeal else Campaign.objects.filter(slug=_slug(data.get("campaign"))).first()
    return {"campaign": campaign, "appeal": appeal, "article": _one_line(data.get("article"))[:120]}


class NameField(forms.CharField):
    """A name in any script, on one line, without what nobody can see."""

    def to_python(self, value: Any) -> str:
        return readable_name(super().to_python(value) or "")


class EmailField(forms.EmailField):
    """An email address in the form in which it is stored, without the invisible characters of copied text.

    A domain outside ASCII is converted (members/addresses.py); a part before the @ outside ASCII is refused, because a
    letter that only looks like another one would be somebody else's address.
    """

    def to_python(self, value: Any) -> str:
        visible = "".join(character for character in str(value or "") if unicodedata.category(character) != "Cf")
        return visible.strip()

    def clean(self, value: Any) -> Any:
        try:
            email = addresses.normal(super().clean(value))
        except ValidationError:
            raise ValidationError(email_sentence(self.to_python(value))) from None
        if not addresses.is_plain(email) or len(email) > LONGEST_EMAIL:
            raise ValidationError(email_sentence(email))
        return email


class PersonForm(forms.Form):
    """The address for the receipt and an optional name. After is_valid(), `person(language)` returns them."""

    email = EmailField(max_length=LONGEST_EMAIL)
    name = NameField(
        max_length=120, required=False, error_messages={"max_length": gettext_lazy("Use 120 characters at most")}
    )
    website = forms.CharField(required=False)  # invisible to people; spam programs fill it in

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise ValidationError(_("A hidden field was filled in by your browser. It is empty now: try again"))
        return ""

    def person(self, language: str) -> Person:
        return Person(self.cleaned_data["email"], self.cleaned_data["name"], language)


def email_sentence(email: str) -> str:
    """Return the error message for an invalid email address: it says what to do about the first problem."""
    local, at, domain = email.rpartition("@")
    if not email:
        return _("Write your email address: the receipt goes there")
    if len(email) > LONGEST_EMAIL:
        return _("Use an address of 254 characters at most")
    if not at:
        return _("Add the @ and what follows it, such as olena@example.org")
    if not domain:
        return _("Add the part after the @, such as olena@example.org")
    if not local.isascii():
        return _("Check the part before the @: it must be in Latin letters")
    if local and (not re.search(r"\w\.\w", domain) or not domain.isascii()):
        return _("Check the part after the @, such as example.org")
    return _("Check the address: it should look like olena@example.org")


def likely_email(email: str) -> str:
    """Return the address that was perhaps intended, with a usual domain instead of a misspelled one, or "".

    Example: olena@gmial.com gives olena@gmail.com.
    """
    local, at, domain = email.rpartition("@")
    domain = domain.lower()
    if not (local and at) or domain in USUAL_DOMAINS + REAL_NEIGHBOURS:
        return ""
    return next((f"{local}@{usual}" for usual in USUAL_DOMAINS if _one_slip_apart(domain, usual)), "")


def _one_slip_apart(left: str, right: str) -> bool:
    """Return whether two domains differ by one letter added, left out or replaced, or by two neighbours swapped.

    static/give.js has the same rule.
    """
    while left and right and left[0] == right[0]:
        left, right = left[1:], right[1:]
    while left and right and left[-1] == right[-1]:
        left, right = left[:-1], right[:-1]
    return max(len(left), len(right)) == 1 or (len(left) == 2 and left == right[::-1])


def _slug(value: Any) -> str:
    """Return the value if it has the form of a slug, else ""."""
    text = str(value or "")
    return text if re.fullmatch(r"[-a-zA-Z0-9_]{1,50}", text) else ""


def _one_line(value: Any) -> str:
    printable = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") else c for c in str(value or ""))
    return " ".join(printable.split())
