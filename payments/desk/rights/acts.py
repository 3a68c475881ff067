"""The acts on a person's rights: export all data, erase the person, and confirm or call off an erasing.

Whoever asks for an erasing cannot confirm it. The rules are payments/rights/export.py and erasing.py.
"""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members import clock
from members.models import Supporter
from payments import stripe_requests
from payments.desk import columns
from payments.desk.acts.act import Act
from payments.errors import NotOpen, SamePerson
from payments.models import Erasure
from payments.rights import erasing, export, people

ERASE, EXPORT = "payments.erase_person", "payments.export_person"
TASK = "payments.tasks.carry_out_erasure"


class ExportData(Act):
    slug = "export"
    label = gettext_lazy("Export all data")
    steps_up = True
    needs = (EXPORT,)

    def question(self, row: Supporter) -> str:
        return _("Export all data of %(email)s?") % {"email": row.email}

    def consequences(self, row: Supporter) -> list[object]:
        return [
            _("You get one file with everything about this person, to read and for programs, and nobody else’s data."),
            _("Give it only to the person themselves, and be sure that it is them. Then delete it."),
            _("The export is noted on this page with your name."),
        ]

    def perform(self, row: Supporter, answers: dict[str, Any], actor: User) -> str:
        return ""

    def file(self, row: Supporter, actor: User) -> HttpResponse:
        """Return the export as a ZIP file with a page and a JSON file."""
        made = export.make(people.of(row), "staff", actor)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{made.name}.html", made.page)
            archive.writestr(f"{made.name}.json", made.data)
        response = HttpResponse(packed.getvalue(), content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="{made.name}.zip"'
        return response


class WhenForm(forms.Form):
    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[
            ("now", gettext_lazy("as soon as a colleague has confirmed it")),
            ("day", gettext_lazy("a day from now, so that it can be called off")),
        ],
        initial="now",
    )


class ErasePerson(Act):
    """Ask for a person to be erased; a second member of staff confirms it."""

    slug = "erase"
    label = gettext_lazy("Erase this person")
    form_class = WhenForm
    is_grave = steps_up = True
    needs = (ERASE,)
    problems = (NotOpen,)

    def is_open(self, row: Supporter) -> bool:
        return row.erased_at is None and not row.erasures.filter(state__in=Erasure.OPEN).exists()

    def question(self, row: Supporter) -> str:
        return _("Erase everything about %(email)s?") % {"email": row.email}

    def consequences(self, row: Supporter) -> list[object]:
        return preview_in_words(row)

    def perform(self, row: Supporter, answers: dict[str, Any], actor: User) -> str:
        due_at = clock.now() + timedelta(days=1 if answers["when"] == "day" else 0)
        erasing.ask(row, "staff", due_at, actor, needs_second=True)
        return _("It is asked for. A colleague has to confirm it, under “Erasures”.")

    def explain(self, problem: Exception) -> str:
        return _("This person was erased already.")


class ConfirmErasing(Act):
    slug = "confirm"
    label = gettext_lazy("Confirm the erasing")
    is_grave = steps_up = True
    needs = (ERASE,)
    problems = (SamePerson, NotOpen)

    def is_open(self, row: Erasure) -> bool:
        return row.state == Erasure.State.ASKED

    def question(self, row: Erasure) -> str:
        return _("Erase everything about %(email)s?") % {"email": row.supporter.email}

    def consequences(self, row: Erasure) -> list[object]:
        asked = {"who": row.requested_by or _("the software"), "day": columns.moment(row.due_at)}
        return [_("Asked for by %(who)s, due on %(day)s.") % asked, *preview_in_words(row.supporter)[:-1]]

    def perform(self, row: Erasure, answers: dict[str, Any], actor: User) -> str:
        confirmed = erasing.confirm(row, actor)
        if confirmed.due_at > clock.now():
            return _("It is confirmed, and done when it is due.")
        erasing.carry_out(confirmed, asks_stripe=False)
        stripe_requests.wake(TASK, confirmed.pk)
        return _("Everything here is erased. Stripe is asked now, until it has answered.")

    def explain(self, problem: Exception) -> str:
        if isinstance(problem, SamePerson):
            return _("You asked for it yourself. Somebody else has to confirm it.")
        return _("It was confirmed or called off a moment ago.")


class CallOffErasing(Act):
    slug = "call-off"
    label = gettext_lazy("Call it off")
    needs = (ERASE,)
    problems = (NotOpen,)

    def is_open(self, row: Erasure) -> bool:
        return row.state in (Erasure.State.ASKED, Erasure.State.PLANNED)

    def question(self, row: Erasure) -> str:
        return _("Call off the erasing of %(email)s?") % {"email": row.supporter.email}

    def consequences(self, row: Erasure) -> list[object]:
        return [_("Everything stays as it is. It can be asked for again.")]

    def perform(self, row: Erasure, answers: dict[str, Any], actor: User) -> str:
        erasing.call_off(row, actor)
        return _("It is called off.")

    def explain(self, problem: Exception) -> str:
        return _("It is too late: it was carried out, or called off before.")


def preview_in_words(supporter: Supporter) -> list[object]:
    """Return what erasing a supporter would do, one sentence each; the last one is about the second person."""
    shown = erasing.preview(people.of(supporter))
    gifts = ngettext("%(count)d recurring gift ends at once.", "%(count)d recurring gifts end at once.", shown.gifts)
    stay = ngettext(
        "%(count)d payment stays in the books, without a name.",
        "%(count)d payments stay in the books, without a name.",
        shown.payments,
    )
    return [
        gifts % {"count": shown.gifts},
        _("Name, address, emails, notes and everything that Stripe sent about them are erased here, at once."),
        _("Their customers at Stripe are deleted: %(count)d. This cannot be undone.") % {"count": shown.customers},
        stay % {"count": shown.payments},
        _("They get no email about it. Whoever wants to write, writes before."),
        _("A colleague has to confirm it. You cannot do that yourself."),
    ]
