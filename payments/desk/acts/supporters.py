"""The act on a supporter: correct their email address."""

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
