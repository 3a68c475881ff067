"""Unsubscribing from one kind of email with one click: in a mail program (RFC 8058), or on the page behind the link.

The POST needs no cookie and no proof other than the signed link, which never expires: unsubscribing must always work.
GET shows one button and changes nothing, because scanners open every link in an email.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from members.links import pages as link_pages
from members.links import public_ids, signed
from members.mail import choices
from members.models import Supporter

UUID_LENGTH = 36


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    supporter, kind = _about(token)
    is_done = request.method == "POST"
    if is_done:
        choices.choose(supporter, {kind: False}, "one click")
    context = {"state": "done" if is_done else "ask", "name": choices.WORDS[kind][0]}
    return link_pages.page(request, "portal/unsubscribe.html", context)


def _about(token: str) -> tuple[Supporter, str]:
    """Return the supporter and the kind of email in a token.

    Raises Http404 if the token is not valid, the supporter does not exist or this kind of email is not optional.
    """
    value = signed.read("unsubscribe", token) or ""
    public_id, kind = public_ids.parse(value[:UUID_LENGTH]), value[UUID_LENGTH + 1 :]
    if public_id is None or kind not in choices.kinds():
        raise Http404
    return get_object_or_404(Supporter, public_id=public_id, erased_at=None), kind
