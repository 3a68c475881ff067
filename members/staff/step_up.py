"""Ask again who somebody is before a grave act: the second factor, or the password of who has none.

What was typed in the act is kept: the page that asks carries it in its form and sends it on to the same address. Called
by the acts of the desk, and by any view that a session left open must not reach:

    if asked := step_up.ask(request):
        return asked
"""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from members.staff import door, factor, staff_log

LASTS_SECONDS = 600
FIELD, ALONE = "step_up", "step_up_alone"
NOT_KEPT = {FIELD, ALONE, "csrfmiddlewaretoken"}


def required(request: HttpRequest) -> bool:
    """Return whether the person has to prove again who they are: they last did so more than ten minutes ago."""
    return door.confirmed_seconds_ago(request) > LASTS_SECONDS


def ask(request: HttpRequest, back: str = "") -> HttpResponse | None:
    """Return the page that asks who somebody is, or None if the act may go on.

    Call it with the request of the act, when everything else about it has been checked. `back` is where its "do
    nothing" leads. After a GET, the answer leads back to the same address.
    """
    if not required(request):
        return None
    problem = ""
    if FIELD in request.POST:
        problem = _problem(request, request.POST[FIELD])
        if not problem:
            return HttpResponseRedirect(request.get_full_path()) if ALONE in request.POST else None
    return _page(request, problem, back)


def _problem(request: HttpRequest, typed: str) -> str:
    """Note that the person is who they are if the typed code or password is right; else return why not, in words."""
    user = cast(User, request.user)
    has_factor = factor.device_of(user) is not None
    try:
        if has_factor:
            is_right = factor.is_right(user, typed)
        else:
            factor.count_try(user, "password")
            is_right = user.check_password(typed)
    except factor.TooManyTries:
        return _("Those were many tries. Wait a quarter of an hour, then try again.")
    if is_right:
        door.confirm(request, has_factor=has_factor)
        return ""
    staff_log.record(user, "step_up.refused")
    return _("This code is not right, or was used already. Take the next one.") if has_factor else _("Wrong password.")


class StepUpForm(forms.Form):
    """The one field: a code for those with a second factor, else the password."""

    def __init__(self, *, has_factor: bool) -> None:
        super().__init__()
        if has_factor:
            plain = {"inputmode": "text", "autocomplete": "one-time-code", "autofocus": True}
            self.fields[FIELD] = forms.CharField(
                label=_("Code"),
                help_text=_("Six digits from your app, or one of your recovery codes."),
                widget=forms.TextInput(plain),
            )
        else:
            secret = {"autocomplete": "current-password", "autofocus": True}
            self.fields[FIELD] = forms.CharField(label=_("Your password"), widget=forms.PasswordInput(secret))


def _page(request: HttpRequest, problem: str, back: str) -> HttpResponse:
    is_alone = request.method != "POST" or ALONE in request.POST
    kept = [(name, value) for name, values in request.POST.lists() if name not in NOT_KEPT for value in values]
    form = StepUpForm(has_factor=factor.device_of(cast(User, request.user)) is not None)
    context = {
        **admin.site.each_context(request),
        "title": _("Is it you?"),
        "form": form,
        "problem": problem,
        "kept": [*kept, (ALONE, "yes")] if is_alone else kept,
        "back": back or request.path,
    }
    return TemplateResponse(request, "staff/step_up.html", context)
