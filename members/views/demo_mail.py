"""Pages that show the emails written as files (members/mail/files.py). With DEBUG on only; otherwise 404."""

from __future__ import annotations

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from members.mail import files
from members.mail.files import StoredEmail

# An email has inline styles, which our pages forbid, so it is shown in a frame with an address and a policy of its own.
EMAIL_POLICY = {"style-src": [UNSAFE_INLINE], "script-src": [NONE], "form-action": [NONE], "frame-ancestors": [SELF]}


@require_safe
def demo_mails(request: HttpRequest) -> HttpResponse:
    _demo_only()
    return render(request, "demo/mails.html", {"mails": files.newest()})


@require_safe
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
def demo_mail(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "demo/mail.html", {"mail": _find_or_404(name)})


@require_safe
@csp_replace(EMAIL_POLICY)  # type: ignore[arg-type]
@xframe_options_sameorigin
def demo_mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """Show the email alone, for the frame in its page. Its links open in the whole window."""
    return HttpResponse(_find_or_404(name).html.replace("<head>", '<head><base target="_top">', 1))


def _demo_only() -> None:
    if not settings.DEBUG:
        raise Http404


def _find_or_404(name: str) -> StoredEmail:
    _demo_only()
    email = files.find(name)
    if email is None:
        raise Http404
    return email
