"""What the pages behind a letter's link share: what the link points at, and that nobody is told or keeps the page.

No sign-in, no cookie: the signed link is the proof, and who does not have it cannot make a browser send it. Nobody is
told the link either (`no-referrer`), for which browsers send a form with `Origin: null`: Django's CSRF check would
refuse everyone, so these views are exempt. No name on the pages; the link may have been forwarded.
"""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from members import links
from payments.models import Payment, Subscription

MOST_TRIES = 6


def subscription(purpose: str, token: str) -> Subscription | None:
    """The subscription a link of this purpose points at; None for a link that is not ours or has run out."""
    rows = Subscription.objects.select_related("membership", "supporter", "checkout", "campaign", "appeal")
    return rows.filter(public_id=public_id).first() if (public_id := _uuid(links.read(purpose, token))) else None


def payment(purpose: str, token: str) -> Payment | None:
    rows = Payment.objects.select_related("subscription", "supporter")
    return rows.filter(public_id=public_id).first() if (public_id := _uuid(links.read(purpose, token))) else None


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    response = private(render(request, template, context, status=status))
    if status == 503:
        response["Retry-After"] = "60"
    return response


def unknown(request: HttpRequest, purpose: str, token: str) -> HttpResponse:
    """A link that we never made, or one that has run out."""
    return page(request, "give/unknown_link.html", {}, status=404)


def private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def tries(request: HttpRequest) -> int:
    """How often the page was looked at again so far; anything odd counts as often enough."""
    tried = request.GET.get("try", "")
    return int(tried) if tried in {str(number) for number in range(MOST_TRIES + 1)} else MOST_TRIES if tried else 0


def address(request: HttpRequest, **query: object) -> str:
    """This page with other parameters, and the language that was chosen."""
    chosen = getattr(request, "chosen_language", "")
    query = query | ({"lang": chosen} if chosen else {})
    return f"{request.path}?{urlencode(query)}" if query else request.path


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None
