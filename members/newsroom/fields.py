"""The settings that staff can change at the desk: their names in the environment, their words and their checks.

A new one is one line in FIELDS. Its default is the value of the same name in project/settings.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum import bic, iban

PUBLISHER = gettext_lazy("The publisher")
ANSWERS = gettext_lazy("Who signs and who answers")
ACCOUNT = gettext_lazy("The account for transfers")
TOLD = gettext_lazy("Who of you is told")
LIMITS = gettext_lazy("Limits")
AGES = gettext_lazy("How long data is kept, in days")


# So many characters of a text are seen at once.
LONGEST_SHOWN = 60


class Lines(forms.CharField):
    """A list with one entry on each line, each checked by the validators of the field."""

    widget = forms.Textarea(attrs={"rows": 3})

    def to_python(self, value: Any) -> Any:
        typed = value if isinstance(value, list) else str(value or "").splitlines()
        return [line.strip() for line in typed if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def run_validators(self, value: Any) -> None:
        for line in value:
            super().run_validators(line)


def _is_iban(value: str) -> None:
    if not iban.is_valid(value):
        raise ValidationError(_("This is no valid account number. Copy it from the bank’s own papers."))


def _is_bic(value: str) -> None:
    if not bic.is_valid(value):
        raise ValidationError(_("This is no valid BIC: it has 8 or 11 letters and figures."))


def _is_link(value: str) -> None:
    label, _bar, url = value.partition("|")
    if not label.strip() or not url.strip().startswith("https://"):
        raise ValidationError(_("Write each link as: Its name|https://its.address"))


def _text(limit: int = 200, **given: Any) -> Callable[[], forms.Field]:
    widget = forms.TextInput(attrs={"size": min(limit, LONGEST_SHOWN)})
    return lambda: forms.CharField(max_length=limit, widget=widget, **given)


def _number(least: int, most: int) -> Callable[[], forms.Field]:
    return lambda: forms.IntegerField(min_value=least, max_value=most)


@dataclass(frozen=True)
class Setting:
    """A setting under its name in the environment. `make` returns its field of the form, required or not."""

    name: str
    section: Any
    label: Any
    make: Callable[[], forms.Field] = field(default_factory=_text)
    help: Any = ""

    def form_field(self) -> forms.Field:
        made = self.make()
        made.required, made.label = False, self.label
        return made

    @property
    def default(self) -> Any:
        """Return its value in the environment, or what the software comes with."""
        kind, _underscore, language = self.name.rpartition("_")
        named = {"EDITOR_NAME": settings.EDITOR_NAMES, "EDITOR_ROLE": settings.EDITOR_ROLES}.get(kind)
        return named.get(language.lower(), "") if named else getattr(settings, self.name)


def _of_editor() -> list[Setting]:
    """Return the editor's name and role, and how they are written in each language if that differs."""
    name, role = gettext_lazy("Editor"), gettext_lazy("The editor’s role")
    found = [Setting("EDITOR_NAME", ANSWERS, name), Setting("EDITOR_ROLE", ANSWERS, role)]
    for code, language in settings.LANGUAGES:
        for kind, label in (("EDITOR_NAME", name), ("EDITOR_ROLE", role)):
            found.append(Setting(f"{kind}_{code.upper()}", ANSWERS, format_lazy("{} ({})", label, language)))
    return found


FIELDS: dict[str, Setting] = {
    each.name: each
    for each in (
        Setting("LEGAL_NAME", PUBLISHER, gettext_lazy("Legal name")),
        Setting(
            "LEGAL_ADDRESS",
            PUBLISHER,
            gettext_lazy("Postal address"),
            help=gettext_lazy("Stands under every email, as the law asks in most countries."),
        ),
        Setting(
            "LEGAL_REGISTRATION", PUBLISHER, gettext_lazy("Registration"), help=gettext_lazy("Register and number")
        ),
        Setting(
            "STATEMENT_NAME",
            PUBLISHER,
            gettext_lazy("Name on bank statements"),
            _text(22),
            gettext_lazy("As it is set at Stripe; our pages tell readers what they will find."),
        ),
        Setting(
            "CONTACT_EMAIL",
            ANSWERS,
            gettext_lazy("Email address that a person answers"),
            lambda: forms.EmailField(max_length=254),
        ),
        Setting("CONTACT_PROMISE_DAYS", ANSWERS, gettext_lazy("Answered within so many days"), _number(1, 30)),
        *_of_editor(),
        Setting(
            "DISCREET_FROM_NAME",
            ANSWERS,
            gettext_lazy("Sender’s name in discreet emails"),
            _text(60),
            gettext_lazy("For supporters whose mail must not name the newsroom."),
        ),
        Setting("BANK_BENEFICIARY", ACCOUNT, gettext_lazy("Beneficiary"), _text(70)),
        Setting(
            "BANK_IBAN",
            ACCOUNT,
            gettext_lazy("IBAN"),
            _text(42, validators=[_is_iban]),
            gettext_lazy("Readers send money here: check it twice."),
        ),
        Setting("BANK_BIC", ACCOUNT, gettext_lazy("BIC"), _text(11, validators=[_is_bic])),
        Setting(
            "OTHER_WAYS_LINKS",
            ACCOUNT,
            gettext_lazy("Links to other ways to give"),
            lambda: Lines(validators=[_is_link]),
            gettext_lazy("One on each line: Its name|https://its.address"),
        ),
        Setting(
            "STAFF_ALERT_EMAILS",
            TOLD,
            gettext_lazy("Told when something is wrong"),
            lambda: Lines(validators=[validate_email]),
            gettext_lazy("One address on each line"),
        ),
        Setting(
            "STAFF_GIFT_EMAILS",
            TOLD,
            gettext_lazy("Told of new patrons and large gifts"),
            lambda: Lines(validators=[validate_email]),
            gettext_lazy("One address on each line"),
        ),
        Setting(
            "ALERT_NO_EVENTS_HOURS",
            TOLD,
            gettext_lazy("Hours without a word from Stripe until you are told"),
            _number(1, 24 * 14),
        ),
        Setting(
            "REFUND_LIMIT_SUPPORT",
            LIMITS,
            gettext_lazy("Refunds that the role Support may make"),
            _number(0, 1_000_000),
            gettext_lazy("Up to so much of a payment, in whole units of the first currency; 0 is no limit."),
        ),
        Setting(
            "REFUND_LIMIT_ALONE",
            LIMITS,
            gettext_lazy("Refunds that one person may make alone"),
            _number(0, 1_000_000),
            gettext_lazy("Above it a second colleague confirms; 0 is no limit."),
        ),
        Setting(
            "CHECKOUT_LIMIT_PER_NETWORK",
            LIMITS,
            gettext_lazy("Gifts begun from one network until it is asked for proof"),
            _number(1, 100_000),
        ),
        Setting(
            "CHECKOUT_LIMIT_IN_ALL",
            LIMITS,
            gettext_lazy("Gifts begun in all until the door is guarded"),
            _number(1, 1_000_000),
        ),
        Setting(
            "CHECKOUT_LIMIT_SECONDS", LIMITS, gettext_lazy("Both are counted over so many seconds"), _number(10, 86_400)
        ),
        Setting("KEEP_CHECKOUTS_DAYS", AGES, gettext_lazy("Gifts begun that led to no money"), _number(2, 3650)),
        Setting("KEEP_LETTERS_DAYS", AGES, gettext_lazy("Words of emails"), _number(30, 3650)),
        Setting("KEEP_REPORTS_DAYS", AGES, gettext_lazy("Reports of the mail provider"), _number(7, 3650)),
        Setting("KEEP_EVENTS_DAYS", AGES, gettext_lazy("Contents of Stripe’s events"), _number(30, 3650)),
        Setting("KEEP_SIGN_INS_DAYS", AGES, gettext_lazy("Sign-ins of staff"), _number(7, 3650)),
    )
}
