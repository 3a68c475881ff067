"""The shape of an act: one thing staff can do to one row. Its page is page.py's; the rule it calls decides.

Each act is a small class in this room, in the module named after the rows it is for.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import User

from members.mail.rendering import Letter


@dataclass(frozen=True)
class Confirmation:
    """The page before something that cannot be taken back: what exactly will happen, and the letter as it will go, or
    why none can go. Without a button there is nothing to do.

    `shown` names what the page rests on; it comes back in the answers, so that nothing else is done.
    """

    question: str
    sentences: Sequence[object]
    button: str
    letter: Letter | None = None
    to_email: str = ""
    shown: str = ""


class Act:
    """One thing staff can do to one row, asked for on a page of its own.

    With `is_confirmed` a second page shows what the answers lead to. It carries a `wish`: sent twice, it is done once.
    """

    slug: str
    label: object
    form_class: type[forms.Form] = forms.Form
    is_grave = False
    is_confirmed = False
    needs: tuple[str, ...] = ()
    problems: tuple[type[Exception], ...] = ()
    done_in_part: tuple[type[Exception], ...] = ()  # problems that leave something done, to be remembered

    def form(self, row: Any, data: Any) -> forms.Form:
        return self.form_class(data)

    def form_for(self, row: Any, data: Any, actor: User) -> forms.Form:
        """The form as this person gets it: without what they have no right to ask for."""
        return self.form(row, data)

    def confirmation(self, row: Any, answers: dict[str, Any]) -> Confirmation:
        raise NotImplementedError

    def is_open(self, row: Any) -> bool:
        """Whether the act makes sense for the row as it is now."""
        return True

    def question(self, row: Any) -> str:
        raise NotImplementedError

    def consequences(self, row: Any) -> list[object]:
        """What will happen, and what will not, a sentence each."""
        return []

    def told_before(self, row: Any, wish: uuid.UUID) -> str:
        """What was told when this very wish was performed before; nothing when it was not. May raise one of `problems`,
        when that was told.
        """
        return ""

    def perform(self, row: Any, answers: dict[str, Any], actor: User) -> str:
        """Call the rule; returns what to tell the person who asked. May raise one of `problems`.

        `answers` of a confirmed act hold its `wish`, a UUID, and what the page that confirms had `shown`.
        """
        raise NotImplementedError

    def sorry(self, problem: Exception) -> str:
        """A problem in words, with what to do next."""
        raise NotImplementedError
