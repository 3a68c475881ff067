"""Acts: what staff may do to a row. A GET says what will happen, a POST does it; the rule it calls decides.

An act is a small class beside the admin of its model; this is its shape and its one view.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from members.mail.rendering import Letter
from payments.desk.acts.untold import why_untold
from payments.desk.columns import address_of

if TYPE_CHECKING:
    from payments.desk.pages import DeskAdmin


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


class ActView:
    """The page of an act: question, consequences, one button; then the page that confirms, where there is one."""

    def __init__(self, desk: DeskAdmin, act: Act) -> None:
        self.desk, self.act = desk, act

    def __call__(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.desk.get_object(request, unquote(object_id))
        if not self.desk.has_view_permission(request, row) or not self.desk.may_do(request, self.act):
            raise PermissionDenied
        if row is None:
            return self.desk.gone(request, object_id)
        wish = _uuid(request.POST.get("wish"))
        data = request.POST if request.method == "POST" else None
        said = {"wish": wish, "shown": request.POST.get("shown", "")}
        form = self.act.form_for(row, data, cast(User, request.user))
        is_valid = form.is_valid()
        try:
            told = self.act.told_before(row, wish) if wish else ""
        except self.act.problems as problem:
            form.add_error(None, self.act.sorry(problem))
            return self.page(request, row, form)
        if told:
            messages.success(request, told)
        elif not self.act.is_open(row):
            messages.warning(request, _("Nothing was done: this is no longer possible here."))
        elif not is_valid or "back" in request.POST:
            return self.page(request, row, form)
        elif self.act.is_confirmed and not wish:
            return self.confirm(request, row, form)
        elif not self.is_done(request, row, {**form.cleaned_data, **said}, form):
            return self.page(request, row, form)
        return HttpResponseRedirect(address_of(row))

    def is_done(self, request: HttpRequest, row: Any, answers: dict[str, Any], form: forms.Form) -> bool:
        """Perform, and remember who did it. A problem goes back into the form."""
        actor = cast(User, request.user)  # admin_view lets nobody else in
        try:
            told = self.act.perform(row, answers, actor)
        except self.act.problems as problem:
            if isinstance(problem, self.act.done_in_part):
                self.desk.log_change(request, row, self.act.slug)
            form.add_error(None, self.act.sorry(problem))
            return False
        self.desk.log_change(request, row, self.act.slug)
        messages.success(request, told)
        return True

    def page(self, request: HttpRequest, row: Any, form: forms.Form) -> HttpResponse:
        asked = {"question": self.act.question(row), "consequences": self.act.consequences(row), "form": form}
        return TemplateResponse(request, "staff/act.html", {**self.context(request, row), **asked})

    def confirm(self, request: HttpRequest, row: Any, form: forms.Form) -> HttpResponse:
        confirmation = self.act.confirmation(row, form.cleaned_data)
        untold = why_untold(confirmation.to_email) if confirmation.letter else ""
        asked = {"confirmation": confirmation, "untold": untold, "form": form, "wish": uuid.uuid4()}
        return TemplateResponse(request, "staff/confirm.html", {**self.context(request, row), **asked})

    def context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return {
            **self.desk.admin_site.each_context(request),
            "title": f"{self.act.label}: {self.desk.opts.verbose_name} {row}",
            "opts": self.desk.opts,
            "row": row,
            "row_address": address_of(row),
            "act": self.act,
        }


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None
