"""What pages behind a signed link share: nobody is told their address, and one that has run out offers a fresh one.

Doors call this in place of `render`, and for a token that does not open. They are `csrf_exempt`: with `no-referrer`
browsers send a POST with `Origin: null`, which Django's check would refuse; who lacks the link cannot forge one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from members import limits, suppressions
from members.links import fresh as fresh_links
from members.links import signed
from members.models import Supporter

# From what a token was signed for to whose it is; None where the object has gone.
Owner = Callable[[str], Supporter | None]


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """A page behind a token: rendered, and its address given to nobody it links to."""
    response = render(request, template, context, status=status)
    response["Referrer-Policy"] = "no-referrer"
    return response


def expired(request: HttpRequest, purpose: str, token: str, owner: Owner) -> HttpResponse:
    """The answer for a token that `links.read` did not open. GET shows one button and changes nothing.

    Its POST mails a fresh link, and says the same whether it did. Raises Http404 for what never was a link of ours.
    """
    value = signed.read_expired(purpose, token)
    if value is None:
        raise Http404
    if request.method != "POST" or "fresh" not in request.POST:
        return page(request, "portal/expired.html", {"state": "expired"}, status=410)
    if fresh_links.may_ask(limits.network_of(request)) and (supporter := owner(value)):
        if "receives" in request.POST:
            suppressions.reader_receives_again(supporter)
        fresh_links.fresh_link(purpose, value, supporter)
    return page(request, "portal/expired.html", {"state": "sent"})
