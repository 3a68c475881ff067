"""Pages behind a signed link: sites they link to never see their address, and an expired link offers a new one.

Views behind signed links call `page` instead of `render`, and `expired` for a token that cannot be read. These views
are `csrf_exempt`: with `no-referrer`, browsers send a POST with `Origin: null`, which Django's check would refuse.
That is safe, because a request cannot be forged without having the link.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import register_converter
from django.urls.converters import StringConverter

from members import suppressions
from members.links import fresh as fresh_links
from members.links import signed
from members.models import Supporter


class TokenConverter(StringConverter):
    """The part of an address that holds a token, also with a bracket or a comma after the slash that ends it.

    Mail programs and readers add those to a link; members/links/signed.py removes them. Registered here, which every
    module of addresses with a `<token:token>` imports through its views.
    """

    regex = "[^/]+(?:/[^/]{1,12})?"


register_converter(TokenConverter, "token")

# Takes the signed value; returns the supporter it belongs to, or None if the object no longer exists.
Owner = Callable[[str], Supporter | None]


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a page behind a token, with a header that keeps its address from sites it links to."""
    response = render(request, template, context, status=status)
    response["Referrer-Policy"] = "no-referrer"
    return response


def expired(request: HttpRequest, purpose: str, token: str, owner: Owner) -> HttpResponse:
    """Return the response for a token that `signed.read` refused. Raises Http404 if it was never a valid token.

    GET shows one button (status 410) and changes nothing. The button's POST emails a new link to the owner, within
    the rate limits; the response is the same whether an email was queued or not.
    """
    value = signed.read_expired(purpose, token)
    if value is None:
        raise Http404
    if request.method != "POST" or "fresh" not in request.POST:
        return page(request, "portal/expired.html", {"state": "expired"}, status=410)
    if fresh_links.may_ask(request) and (supporter := owner(value)):
        if "receives" in request.POST:
            suppressions.reader_receives_again(supporter)
        fresh_links.fresh_link(purpose, value, supporter)
    return page(request, "portal/expired.html", {"state": "sent"})
