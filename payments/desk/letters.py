"""The desk's pages about emails: the catalogue, a preview of each sample, and a test email to oneself.

Samples are built and rolled back in payments/desk/samples/. Emails that were sent are in payments/admin/messages.py,
which adds these pages to its addresses.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from typing import Any, cast
from urllib.parse import urlencode

from csp.constants import NONCE, NONE, SELF
from csp.decorators import csp_replace, csp_update
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from members import limits
from members.links import public_ids
from members.mail import kinds as mail_kinds
from payments.desk.mail_as_sent import as_page, by, without_keys
from payments.desk.pages import DeskAdmin
from payments.desk.samples.catalogue import SAMPLES
from payments.desk.samples.people import PEOPLE
from payments.desk.samples.showing import Shown, show
from payments.desk.samples.testing import send_test

TESTS_AN_HOUR = 20
# An email is untrusted content: its page may run no script, make no request, and submit no form.
LETTER_POLICY = {
    "script-src": [NONE],
    "connect-src": [NONE],
    "font-src": [NONE],
    "form-action": [NONE],
    "style-src": [NONCE],
    "sandbox": ["allow-popups"],
}


@dataclass(frozen=True)
class Chosen:
    """The sample that is previewed, and how it is shown. `chosen` replaces unknown values with the usual ones."""

    kind: str
    case: str
    person: str
    language: str
    part: str = "html"
    scheme: str = "light"

    def query(self) -> str:
        return urlencode({name: value for name, value in asdict(self).items() if name != "kind"})

    def shown(self) -> Shown | None:
        """Return the rendered sample, or None if it cannot be rendered: a newsroom's own template may be broken."""
        try:
            return show(self.kind, self.case, PEOPLE[self.person], self.language)
        except Exception:  # a newsroom's own template can raise anything; the page then says that it failed
            return None


def chosen(kind: str, query: QueryDict) -> Chosen:
    """Return the sample that the address asks for. Raises Http404 for a kind without a sample."""
    if kind not in SAMPLES:
        raise Http404
    person = _one_of(query.get("person"), list(PEOPLE))
    return Chosen(
        kind,
        _one_of(query.get("case"), list(SAMPLES[kind].cases)),
        person,
        _one_of(query.get("language"), [PEOPLE[person].language, *dict(settings.LANGUAGES)]),
        _one_of(query.get("part"), ["html", "text"]),
        _one_of(query.get("scheme"), ["light", "dark"]),
    )


def _one_of(value: str | None, choices: list[str]) -> str:
    return value if value in choices else choices[0]


class ChoiceForm(forms.Form):
    def __init__(self, now: Chosen) -> None:
        super().__init__(asdict(now), auto_id="id_%s")
        for name, label, choices in choices_of(now):
            if len(choices) > 1:
                self.fields[name] = forms.ChoiceField(label=label, choices=choices)


def choices_of(now: Chosen) -> list[tuple[str, str, list[tuple[str, Any]]]]:
    return [
        ("case", _("Case"), [(name, case.label) for name, case in SAMPLES[now.kind].cases.items()]),
        ("person", _("To whom"), [(slug, person.label) for slug, person in PEOPLE.items()]),
        ("language", _("Language"), list(settings.LANGUAGES)),
        ("part", _("As"), [("html", _("HTML")), ("text", _("plain text"))]),
        ("scheme", _("By"), [("light", _("day")), ("dark", _("night"))]),
    ]


def addresses(desk: DeskAdmin) -> list[URLPattern]:
    view, stem = desk.admin_site.admin_view, "members_message_letters"
    pages = Letters(desk)
    return [
        path("letters/", view(pages.catalogue), name=stem),
        path("letters/<slug:kind>/", view(pages.one), name=f"{stem}_one"),
        path("letters/<slug:kind>/frame/", view(pages.frame), name=f"{stem}_frame"),
        path("letters/<slug:kind>/test/", view(pages.test), name=f"{stem}_test"),
    ]


def page_of(request: HttpRequest, letter: str, *, is_framed: bool = False) -> HttpResponseBase:
    """Return an HTML email as a page of its own, under a policy that blocks scripts, requests and forms.

    With `is_framed`, pages of this site may show it in a frame.
    """
    answer = HttpResponse(as_page(letter, str(request.csp_nonce)))  # type: ignore[attr-defined]
    policy: Any = {**LETTER_POLICY, "frame-ancestors": [SELF if is_framed else NONE]}
    view = csp_replace(policy)(lambda _request: answer)
    return (xframe_options_sameorigin(view) if is_framed else view)(request)


class Letters:
    """The views. They need the right to view messages or these samples; a test also the right to resend a message."""

    def __init__(self, desk: DeskAdmin) -> None:
        self.desk = desk

    def may_look(self, request: HttpRequest) -> None:
        if not (self.desk.has_view_permission(request) or request.user.has_perm("members.view_letters")):
            raise PermissionDenied

    def catalogue(self, request: HttpRequest) -> HttpResponse:
        self.may_look(request)
        languages = dict(settings.LANGUAGES)
        language = _one_of(request.GET.get("language"), [get_language() or "", *languages])
        rows = [_line(kind, language if language in languages else settings.LANGUAGE_CODE) for kind in kinds()]
        return self.page(request, "staff/letters.html", _("Letters"), rows=rows, language=language, languages=languages)

    def one(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        self.may_look(request)
        now = chosen(kind, request.GET)
        shown = now.shown()
        answer = self.page(
            request,
            "staff/letter.html",
            _("Letter %(kind)s") % {"kind": kind},
            now=now,
            shown=shown,
            text=without_keys(shown.letter.text) if shown else "",
            form=ChoiceForm(now),
            sample=SAMPLES[kind],
            stream=mail_kinds.of(kind).stream.label,
            may_test=self.desk.may_act(request),
        )
        framing: Any = {"frame-src": [SELF]}
        return csp_update(framing)(lambda _request: answer)(request)

    def frame(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        self.may_look(request)
        now = chosen(kind, request.GET)
        shown = now.shown()
        if shown is None:
            raise Http404
        return page_of(request, by(now.scheme, shown.letter.html), is_framed=True)

    def test(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Ask on GET; on POST send one test email to the user's own address. Raises PermissionDenied."""
        self.may_look(request)
        if not self.desk.may_act(request):
            raise PermissionDenied
        now = chosen(kind, request.GET)
        back = f"{reverse('admin:members_message_letters_one', args=[kind])}?{now.query()}"
        if request.method == "POST":
            self.send(request, now)
            return HttpResponseRedirect(back)
        return self.page(
            request,
            "staff/letter_test.html",
            _("A test of %(kind)s") % {"kind": kind},
            now=now,
            shown=now.shown(),
            back=back,
            request_id=uuid.uuid4(),
            to_email=cast(User, request.user).email,
        )

    def send(self, request: HttpRequest, now: Chosen) -> None:
        user, shown = cast(User, request.user), now.shown()
        request_id = request.POST.get("request_id", "")
        if not user.email:
            messages.error(request, _("Your account has no address to send to."))
        elif shown is None or not public_ids.parse(request_id):
            messages.error(request, _("Nothing was sent: this letter cannot be written."))
        elif not limits.hit("test-letter", str(user.pk), TESTS_AN_HOUR, 3600):
            messages.error(request, _("Those were many tests within an hour. Try again later."))
        else:
            sent = send_test(now.kind, request_id, shown.letter, to_email=user.email, language=now.language)
            if sent:
                self.desk.log_addition(request, sent, f"test {now.kind}")
            messages.success(request, _("A test is on its way to %(address)s.") % {"address": user.email})

    def page(self, request: HttpRequest, template: str, title: str, **more: Any) -> TemplateResponse:
        around = self.desk.admin_site.each_context(request)
        return TemplateResponse(request, template, {**around, "title": title, "opts": self.desk.opts, **more})


def kinds() -> list[str]:
    """Return the kinds that have a sample, in the order of the table of kinds; kinds not in that table come last."""
    known = [kind for kind in mail_kinds.KINDS if kind in SAMPLES]
    return known + [kind for kind in SAMPLES if kind not in mail_kinds.KINDS]


def _line(kind: str, language: str) -> dict[str, Any]:
    usual = next(iter(SAMPLES[kind].cases))
    shown = Chosen(kind, usual, "ordinary", language).shown()
    return {
        "kind": kind,
        "stream": mail_kinds.of(kind).stream.label,
        "subject": shown.letter.subject if shown else "",
        "when": SAMPLES[kind].when,
    }
