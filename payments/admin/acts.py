"""Acts: what staff may do to a row. A GET says what will happen, a POST does it; the rule it calls decides.

An act is a small class beside the admin of its model; this is its shape and its one view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from payments.admin.columns import address_of

if TYPE_CHECKING:
    from payments.admin.pages import DeskAdmin


class Act:
    """One thing staff can do to one row, asked for on a page of its own."""

    slug: str
    label: object
    form_class: type[forms.Form] = forms.Form
    is_grave = False
    problems: tuple[type[Exception], ...] = ()

    def is_open(self, row: Any) -> bool:
        """Whether the act makes sense for the row as it is now."""
        return True

    def question(self, row: Any) -> str:
        raise NotImplementedError

    def consequences(self, row: Any) -> list[object]:
        """What will happen, and what will not, a sentence each."""
        return []

    def perform(self, row: Any, answers: dict[str, Any], actor: User) -> str:
        """Call the rule; returns what to tell the person who asked. May raise one of `problems`."""
        raise NotImplementedError

    def sorry(self, problem: Exception) -> str:
        """A problem in words, with what to do next."""
        raise NotImplementedError


class ActView:
    """The page of an act: question, consequences, one button."""

    def __init__(self, desk: DeskAdmin, act: Act) -> None:
        self.desk, self.act = desk, act

    def __call__(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.desk.get_object(request, unquote(object_id))
        if not self.desk.has_view_permission(request, row) or not self.desk.may_act(request):
            raise PermissionDenied
        if row is None:
            return self.desk.gone(request, object_id)
        if not self.act.is_open(row):
            messages.warning(request, _("Nothing was done: this is no longer possible here."))
            return HttpResponseRedirect(address_of(row))
        form = self.act.form_class(request.POST if request.method == "POST" else None)
        if form.is_valid() and self.is_done(request, row, form):
            return HttpResponseRedirect(address_of(row))
        return TemplateResponse(request, "staff/act.html", self.context(request, row, form))

    def is_done(self, request: HttpRequest, row: Any, form: forms.Form) -> bool:
        """Perform, and remember who did it. A problem goes back into the form."""
        actor = cast(User, request.user)  # admin_view lets nobody else in
        try:
            told = self.act.perform(row, form.cleaned_data, actor)
        except self.act.problems as problem:
            form.add_error(None, self.act.sorry(problem))
            return False
        self.desk.log_change(request, row, self.act.slug)
        messages.success(request, told)
        return True

    def context(self, request: HttpRequest, row: Any, form: forms.Form) -> dict[str, Any]:
        return {
            **self.desk.admin_site.each_context(request),
            "title": f"{self.act.label}: {self.desk.opts.verbose_name} {row}",
            "opts": self.desk.opts,
            "row": row,
            "row_address": address_of(row),
            "act": self.act,
            "question": self.act.question(row),
            "consequences": self.act.consequences(row),
            "form": form,
        }
