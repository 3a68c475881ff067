"""The page of an act: GET shows what will happen, POST performs it. And the base admin of rows that have acts.

payments/desk/pages.py builds on this admin; the acts are in the modules next to this one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from members.admin.plain import ReadOnlyAdmin
from members.links import public_ids
from members.staff import step_up
from payments.desk.acts.act import Act
from payments.desk.acts.no_letter import why_no_letter
from payments.desk.columns import address_of


class ActView:
    """The view of an act: question, consequences and one button, then the confirmation page if the act has one.

    Raises PermissionDenied without the right to see the row and to do the act.
    """

    def __init__(self, desk: ActingAdmin, act: Act) -> None:
        self.desk, self.act = desk, act

    def __call__(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show a form on GET; on POST confirm or perform, then redirect to the row. A repeated POST only reports."""
        row = self.desk.get_object(request, unquote(object_id))
        if not self.desk.has_view_permission(request, row) or not self.desk.may_do(request, self.act):
            raise PermissionDenied
        if row is None:
            return self.desk.redirect_missing(request, object_id)
        if not self.desk.may_do_to(request, self.act, row):
            raise PermissionDenied
        if request.method == "GET" and self.desk.person_of(row):
            self.desk.log_act(request, row, "viewed")
        request_id = public_ids.parse(request.POST.get("request_id"))
        data = request.POST if request.method == "POST" else None
        confirmed = {"request_id": request_id, "shown": request.POST.get("shown", "")}
        form = self.act.form_for(row, data, cast(User, request.user))
        is_valid = form.is_valid()
        try:
            message = self.act.message_before(row, request_id) if request_id else ""
        except self.act.problems as problem:
            form.add_error(None, self.act.explain(problem))
            return self.page(request, row, form)
        if message:
            messages.success(request, message)
        elif not self.act.is_open(row):
            messages.warning(request, _("Nothing was done: this is no longer possible here."))
        elif not is_valid or "back" in request.POST:
            return self.page(request, row, form)
        elif self.act.is_confirmed and not request_id:
            return self.confirm(request, row, form)
        elif self.act.steps_up and (asked := step_up.ask(request, back=address_of(row))):
            return asked
        elif not self.is_done(request, row, {**form.cleaned_data, **confirmed}, form):
            return self.page(request, row, form)
        elif file := self.act.file(row, cast(User, request.user)):
            return file
        return HttpResponseRedirect(address_of(row))

    def is_done(self, request: HttpRequest, row: Any, answers: dict[str, Any], form: forms.Form) -> bool:
        """Perform the act, log who did it, and return whether it succeeded. A problem becomes an error of the form."""
        actor = cast(User, request.user)  # admin_view lets nobody else in
        try:
            message = self.act.perform(row, answers, actor)
        except self.act.problems as problem:
            if isinstance(problem, self.act.done_in_part):
                self.desk.log_change(request, row, self.act.slug)
            form.add_error(None, self.act.explain(problem))
            return False
        self.desk.log_change(request, row, self.act.slug)
        if message:
            messages.success(request, message)
        return True

    def page(self, request: HttpRequest, row: Any, form: forms.Form) -> HttpResponse:
        asked = {"question": self.act.question(row), "consequences": self.act.consequences(row), "form": form}
        return TemplateResponse(request, "staff/act.html", {**self.context(request, row), **asked})

    def confirm(self, request: HttpRequest, row: Any, form: forms.Form) -> HttpResponse:
        confirmation = self.act.confirmation(row, form.cleaned_data)
        why_unsent = why_no_letter(confirmation.to_email) if confirmation.letter else ""
        asked = {"confirmation": confirmation, "untold": why_unsent, "form": form, "request_id": uuid.uuid4()}
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


class ActingAdmin(ReadOnlyAdmin):
    """The admin of rows that have acts. Each act has a page below the address of its row."""

    acts: tuple[Act, ...] = ()

    def may_act(self, request: HttpRequest) -> bool:
        """Return whether the user has the right to change the model. Acts need it, although rows cannot be edited."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def may_do(self, request: HttpRequest, act: Act) -> bool:
        """Return whether the user may do this act. A refund from a case, for example, also needs `change_payment`."""
        return self.may_act(request) and request.user.has_perms(act.needs)

    def may_do_to(self, request: HttpRequest, act: Act, row: Any) -> bool:
        """Return whether the user, who may do this act, may do it to this row: some may be done to no equal."""
        return True

    def redirect_missing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return Django's redirect for a row that does not exist."""
        answer: HttpResponse = self._get_obj_does_not_exist_redirect(  # type: ignore[attr-defined]
            request, self.opts, object_id
        )
        return answer

    def get_urls(self) -> list[URLPattern]:
        stem = f"{self.opts.app_label}_{self.opts.model_name}"
        views: list[tuple[str, Callable[..., HttpResponse]]] = [(act.slug, ActView(self, act)) for act in self.acts]
        added = [
            path(f"<path:object_id>/{slug}/", self.admin_site.admin_view(view), name=f"{stem}_{slug}")
            for slug, view in views
        ]
        return added + super().get_urls()
