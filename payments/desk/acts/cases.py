"""The act on any case: close it with a note. Acts on duplicates are in duplicates.py."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments import cases
from payments.desk.acts.act import Act
from payments.errors import AlreadyClosed
from payments.models import Case


class CloseForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("How it was settled"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One or two sentences for whoever looks at it next year."),
    )


class CloseCase(Act):
    slug = "settle"
    label = gettext_lazy("Settle this case")
    form_class = CloseForm
    problems = (AlreadyClosed,)

    def is_open(self, row: Case) -> bool:
        return row.settled_at is None

    def question(self, row: Case) -> str:
        return _("How was “%(what)s” settled?") % {"what": row.get_kind_display()}

    def consequences(self, row: Case) -> list[object]:
        first = _("The case leaves the list of open ones. Your note and your name stay with it.")
        return [first, _("Nothing happens at Stripe: stop or refund there what has to be, before you settle.")]

    def perform(self, row: Case, answers: dict[str, Any], actor: User) -> str:
        cases.close(row, actor, answers["note"])
        return _("The case is settled.")

    def explain(self, problem: Exception) -> str:
        return _("Somebody settled this case a moment ago. Go back to read their note.")
