"""The acts on a supporter: correct their email address, mark them as at risk, and take that mark away."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members import people
from members.errors import AddressTaken
from members.models import Supporter
from payments.desk.acts.act import Act


class AddressForm(forms.Form):
    email = forms.EmailField(label=gettext_lazy("The right address"), max_length=254)


class CorrectAddress(Act):
    slug = "correct-address"
    label = gettext_lazy("Correct the address")
    form_class = AddressForm
    problems = (AddressTaken, ValidationError)

    def is_open(self, row: Supporter) -> bool:
        return row.erased_at is None

    def question(self, row: Supporter) -> str:
        return _("What is the right address instead of %(email)s?") % {"email": row.email}

    def consequences(self, row: Supporter) -> list[object]:
        return [
            _("Messages that wait and later ones go to the new address, and access is found by it."),
            _("Stripe is not told: its own mails keep going where they went."),
        ]

    def perform(self, row: Supporter, answers: dict[str, Any], actor: User) -> str:
        people.correct_address(row, answers["email"], actor)
        return _("The address is corrected.")

    def explain(self, problem: Exception) -> str:
        if isinstance(problem, AddressTaken):
            return _("Another supporter has this address already. Search for it to see whether both are one person.")
        return _("This does not look like an email address. Please check it.")


class MarkAtRisk(Act):
    """Hide a person from everybody without the right to see people at risk."""

    slug = "mark-at-risk"
    label = gettext_lazy("Mark as at risk")
    needs = ("members.see_at_risk", "members.mark_at_risk")
    value = True

    def is_open(self, row: Supporter) -> bool:
        return row.is_at_risk is not self.value

    def question(self, row: Supporter) -> str:
        return _("Is this person at risk?")

    def consequences(self, row: Supporter) -> list[object]:
        return [
            _("Only managers and owners see them from now on: in lists, in searches, on payments and emails."),
            _("Their gifts continue, our emails to them too, and the figures count them."),
        ]

    def perform(self, row: Supporter, answers: dict[str, Any], actor: User) -> str:
        people.mark_at_risk(row, actor, is_at_risk=self.value)
        return _("It is marked.")


class UnmarkAtRisk(MarkAtRisk):
    slug = "unmark-at-risk"
    label = gettext_lazy("No longer at risk")
    value = False

    def question(self, row: Supporter) -> str:
        return _("Is this person no longer at risk?")

    def consequences(self, row: Supporter) -> list[object]:
        return [_("Everybody who may see people sees them again.")]

    def perform(self, row: Supporter, answers: dict[str, Any], actor: User) -> str:
        super().perform(row, answers, actor)
        return _("The mark is taken away.")
