"""The pages of one's own second factor: giving it at sign-in, setting it, renewing it, its recovery codes, removing it.

Also signing out everywhere. They are under /admin/, and project/admin_site.py lists their addresses. All work without
JavaScript. The rules are members/staff/factor.py and members/staff/door.py.
"""

from __future__ import annotations

import time
from typing import Any, cast

import segno
from django import forms
from django.conf import settings
from django.contrib import admin, auth, messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from members.staff import door, factor, staff_log, step_up
from members.staff.door import Door

RENEWING, RENEWING_SECONDS = "desk_renewing", 600


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=40,
        help_text=gettext_lazy("Six digits from your app, or one of your recovery codes."),
        widget=forms.TextInput({"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
    )


class NewCodeForm(CodeForm):
    code = forms.CharField(
        label=gettext_lazy("The six digits that your app shows now"),
        max_length=12,
        widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


@sensitive_post_parameters("code")
@csrf_protect
def give(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor after the password; then lead to where the person was going."""
    onward = _onward(request)
    if (found := door.of(request)) is not Door.GIVE:
        return HttpResponseRedirect(onward) if found is Door.OPEN else _elsewhere(request, found)
    form = CodeForm(request.POST or None)
    if form.is_valid() and _is_current(request, form):
        door.confirm(request, has_factor=True)
        staff_log.record(request.user, "session.began")
        return HttpResponseRedirect(onward)
    return _page(request, "staff/factor_give.html", _("Your second factor"), form=form, onward=onward)


@sensitive_post_parameters("code")
@csrf_protect
def set_up(request: HttpRequest) -> HttpResponse:
    """Show a secret for an app and take its first code; then show the recovery codes, once.

    For who has none yet, and for who just proved to have the current one (`renew`).
    """
    user, found = cast(User, request.user), door.of(request)
    if found not in (Door.SET, Door.OPEN):
        return _elsewhere(request, found)
    if found is Door.OPEN and not _is_renewing(request):
        if factor.device_of(user):
            return HttpResponseRedirect(reverse("admin:second_factor"))
        if request.method == "POST" and (asked := step_up.ask(request)):
            return asked
    form = NewCodeForm(request.POST or None if "code" in request.POST else None)
    if form.is_valid():
        try:
            codes = factor.confirm(user, form.cleaned_data["code"])
        except factor.TooManyTries:
            form.add_error(None, _many_tries())
        else:
            if codes:
                return _is_set(request, codes)
            form.add_error("code", _("This code does not fit. Is the clock of your telephone right?"))
    device = factor.propose(user)
    shown = {"secret": factor.secret_of(device), "picture": _picture(device.config_url), "form": form}
    is_first = found is Door.SET
    title = _("Set your second factor")
    return _page(request, "staff/factor_set.html", title, is_first=is_first, onward=_onward(request), **shown)


def _is_set(request: HttpRequest, codes: list[str]) -> HttpResponse:
    request.session.pop(RENEWING, None)
    door.end_sessions(cast(User, request.user))
    door.confirm(request, has_factor=True)
    door.keep_session(request)
    staff_log.record(request.user, "factor.set")
    return _codes(request, codes, _onward(request))


def overview(request: HttpRequest) -> HttpResponse:
    """Show the state of one's own second factor and what can be done about it."""
    if (found := door.of(request)) is not Door.OPEN:
        return _elsewhere(request, found)
    user = cast(User, request.user)
    shown: dict[str, Any] = {
        "device": factor.device_of(user),
        "codes_left": factor.codes_left(user),
        "may_remove": not settings.STAFF_SECOND_FACTOR,
    }
    return _page(request, "staff/factor.html", _("Your second factor"), **shown)


@sensitive_post_parameters("code")
@csrf_protect
def renew(request: HttpRequest) -> HttpResponse:
    """Ask for the current second factor, then lead to setting another app."""

    def go_on() -> HttpResponse:
        request.session[RENEWING] = int(time.time())
        return HttpResponseRedirect(reverse("admin:second_factor_set"))

    return _after_current(
        request, _("Use another app"), _("The app you use now works until the new one is set."), go_on
    )


@sensitive_post_parameters("code")
@csrf_protect
def codes(request: HttpRequest) -> HttpResponse:
    """Ask for the current second factor, then make new recovery codes and show them once."""

    def go_on() -> HttpResponse:
        made = factor.new_codes(cast(User, request.user))
        staff_log.record(request.user, "factor.codes_renewed")
        return _codes(request, made, reverse("admin:second_factor"))

    return _after_current(request, _("New recovery codes"), _("The ones you have stop working."), go_on)


@sensitive_post_parameters("code")
@csrf_protect
def remove(request: HttpRequest) -> HttpResponse:
    """Ask for the current second factor, then remove it. Raises PermissionDenied where one is required."""
    if settings.STAFF_SECOND_FACTOR and door.of(request) is Door.OPEN:
        raise PermissionDenied

    def go_on() -> HttpResponse:
        user = cast(User, request.user)
        factor.reset(user)
        staff_log.record(user, "factor.removed", user)
        door.keep_session(request)
        messages.success(request, _("Your second factor is removed. Only your password protects the desk now."))
        return HttpResponseRedirect(reverse("admin:second_factor"))

    return _after_current(request, _("Remove the second factor"), _("Then your password alone opens the desk."), go_on)


@csrf_protect
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """End all sessions of one's own, this one too, after a page that says so."""
    if (found := door.of(request)) is not Door.OPEN:
        return _elsewhere(request, found)
    if request.method != "POST":
        return _page(request, "staff/sign_out_everywhere.html", _("Sign out everywhere"))
    user = cast(User, request.user)
    door.end_sessions(user)
    staff_log.record(user, "session.ended_everywhere", user)
    auth.logout(request)
    return HttpResponseRedirect(reverse("admin:login"))


@csrf_protect
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out who stands between password and second factor: Django's own page asks for both."""
    auth.logout(request)
    return HttpResponseRedirect(reverse("admin:login"))


def _after_current(request: HttpRequest, title: str, sentence: str, go_on: Any) -> HttpResponse:
    """Ask for the current second factor on a page of its own; with the right one, return what `go_on` returns."""
    if (found := door.of(request)) is not Door.OPEN:
        return _elsewhere(request, found)
    if factor.device_of(cast(User, request.user)) is None:
        return HttpResponseRedirect(reverse("admin:second_factor"))
    form = CodeForm(request.POST or None)
    if form.is_valid() and _is_current(request, form):
        door.confirm(request, has_factor=True)
        answer: HttpResponse = go_on()
        return answer
    return _page(request, "staff/factor_current.html", title, form=form, sentence=sentence)


def _is_current(request: HttpRequest, form: CodeForm) -> bool:
    """Return whether the typed code is right; else add to the form why not."""
    user = cast(User, request.user)
    try:
        if factor.is_right(user, form.cleaned_data["code"]):
            return True
    except factor.TooManyTries:
        form.add_error(None, _many_tries())
        return False
    staff_log.record(user, "factor.refused")
    form.add_error("code", _("This code is not right, or was used already. Take the next one."))
    return False


def _codes(request: HttpRequest, made: list[str], onward: str) -> HttpResponse:
    return _page(request, "staff/factor_codes.html", _("Your recovery codes"), codes=made, onward=onward)


def _is_renewing(request: HttpRequest) -> bool:
    at = request.session.get(RENEWING)
    return isinstance(at, int) and time.time() - at <= RENEWING_SECONDS


def _onward(request: HttpRequest) -> str:
    """Return the address that the person was going to, if it is one of the desk's; else the desk's first page."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours and wanted.startswith("/admin/") else reverse("admin:index")


def _elsewhere(request: HttpRequest, found: Door) -> HttpResponse:
    """Lead to the page that the door asks for."""
    names = {Door.GIVE: "admin:second_factor_give", Door.SET: "admin:second_factor_set"}
    if found not in names:
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    return HttpResponseRedirect(reverse(names[found]))


def _picture(text: str) -> dict[str, Any]:
    """Return a QR code as the path of an SVG, one unit a module, with four modules of quiet around it."""
    code = segno.make(text, error="m", micro=False)
    rows = list(code.matrix)
    path = "".join(f"M{x + 4} {y + 4}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return {"size": len(rows) + 8, "path": path}


def _many_tries() -> str:
    return _("Those were many tries. Wait a quarter of an hour, then try again.")


def _page(request: HttpRequest, template: str, title: str, **more: Any) -> TemplateResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": title, **more})
