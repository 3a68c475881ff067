"""The interface of an act: one thing that staff can do to one row. The rule that an act calls decides if it may.

page.py shows the page of an act. Each act is a small class in this folder, in the module named after its rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.utils.translation import gettext as _

from members.mail.rendering import Letter


def with_stripe_code(words: str, problem: Exception) -> str:
    """Return the words with the code of Stripe's refusal after them, which Stripe's documents and support know."""
    said = _("Stripe’s code: %(code)s.") % {"code": problem}
    return f"{words} {said}" if str(problem) else words


@dataclass(frozen=True)
class Confirmation:
    """The confirmation page of an act that cannot be undone: a question, the effects, and the email as it will be sent.

    Without a `button` there is nothing to confirm. `shown` identifies the facts that the page was built from: it comes
    back with the answers, so that `perform` can refuse if they have changed.
    """

    question: str
    sentences: Sequence[object]
    button: str
    letter: Letter | None = None
    to_email: str = ""
    shown: str = ""


class Act:
    """A thing that staff can do to one row, on a page of its own.

    With `is_confirmed`, a second page shows what the answers lead to. Its form carries a `request_id`, so that a form
    sent twice is performed once. With `steps_up`, whoever does it proves again who they are (members/staff/step_up.py).
    `needs` are permissions in addition to changing the model; `problems` are the
    exceptions that `explain` puts into words.
    """

    slug: str
    label: object
    form_class: type[forms.Form] = forms.Form
    is_grave = False
    is_confirmed = False
    steps_up = False
    needs: tuple[str, ...] = ()
    problems: tuple[type[Exception], ...] = ()
    done_in_part: tuple[type[Exception], ...] = ()  # problems after which a part is done, and logged

    def form(self, row: Any, data: Any) -> forms.Form:
        return self.form_class(data)

    def form_for(self, row: Any, data: Any, actor: User) -> forms.Form:
        """Return the form without the fields that this user has no right to use."""
        return self.form(row, data)

    def confirmation(self, row: Any, answers: dict[str, Any]) -> Confirmation:
        raise NotImplementedError

    def is_open(self, row: Any) -> bool:
        """Return whether the act is possible for the row in its current state."""
        return True

    def question(self, row: Any) -> str:
        raise NotImplementedError

    def consequences(self, row: Any) -> list[object]:
        """Return what will happen and what will not, one sentence each."""
        return []

    def message_before(self, row: Any, request_id: uuid.UUID) -> str:
        """Return the message shown when this request id was first performed; empty if it has not been performed.

        May raise one of `problems`, if that was the result then.
        """
        return ""

    def perform(self, row: Any, answers: dict[str, Any], actor: User) -> str:
        """Call the rule; return the message for the user. May raise one of `problems`.

        For a confirmed act, `answers` include the `request_id` (a UUID) and what the confirmation page had `shown`.
        """
        raise NotImplementedError

    def file(self, row: Any, actor: User) -> HttpResponse | None:
        """Return a file to answer with once the act is performed; None for the page of the row."""
        return None

    def explain(self, problem: Exception) -> str:
        """Return a problem in words, with what to do next."""
        raise NotImplementedError
