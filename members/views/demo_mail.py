"""Doors to look at the letters written so far. In DEBUG only; a newsroom's real mail leaves by EMAIL_URL."""

from __future__ import annotations

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from members.mail import files
from members.mail.files import Written

# A letter carries its styles in its tags, which no page of ours may do: it gets an address and rules of its own.
LETTER_RULES = {"style-src": [UNSAFE_INLINE], "script-src": [NONE], "form-action": [NONE], "frame-ancestors": [SELF]}


@require_safe
def demo_mails(request: HttpRequest) -> HttpResponse:
    _demo_only()
    return render(request, "demo/mails.html", {"mails": files.newest()})


@require_safe
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
def demo_mail(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "demo/mail.html", {"mail": _written(name)})


@require_safe
@csp_replace(LETTER_RULES)  # type: ignore[arg-type]
@xframe_options_sameorigin
def demo_mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """The letter itself, for the frame in its page. Its links open in the whole window."""
    return HttpResponse(_written(name).html.replace("<head>", '<head><base target="_top">', 1))


def _demo_only() -> None:
    if not settings.DEBUG:
        raise Http404


def _written(name: str) -> Written:
    _demo_only()
    written = files.find(name)
    if written is None:
        raise Http404
    return written
