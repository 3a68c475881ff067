"""What the pages behind a letter's link share: what the link points at, and the page that offers a fresh one.

No sign-in, no cookie: the signed link is the proof. Why these views are exempt from Django's CSRF check stands in
members/links/pages.py. No name on the pages; the link may have been forwarded.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from members.links import pages as link_pages
from members.links import public_ids, signed
from members.models import Supporter
from payments import money
from payments.models import Payment, Subscription

MOST_TRIES = 6


def subscription(purpose: str, token: str) -> Subscription | None:
    """The subscription a link of this purpose points at; None for a link that is not ours or has run out."""
    return _subscription(signed.read(purpose, token))


def payment(purpose: str, token: str) -> Payment | None:
    return _payment(signed.read(purpose, token))


def unopened(request: HttpRequest, purpose: str, token: str) -> HttpResponse:
    """A link that has run out offers a fresh one by mail; one that we never made is not known."""
    owner = _owner_of_payment if purpose == "confirm" else _owner
    try:
        return private(link_pages.expired(request, purpose, token, owner))
    except Http404:
        return page(request, "give/unknown_link.html", {}, status=404)


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    response = private(link_pages.page(request, template, context, status))
    if status == 503:
        response["Retry-After"] = "60"
    return response


def private(response: HttpResponse) -> HttpResponse:
    """Its address is told to nobody. That nobody keeps it is `never_cache` on each view."""
    response["Referrer-Policy"] = "no-referrer"
    return response


def tries(request: HttpRequest) -> int:
    """How often the page was looked at again so far; anything odd counts as often enough."""
    tried = request.GET.get("try", "")
    return int(tried) if tried in {str(number) for number in range(MOST_TRIES + 1)} else MOST_TRIES if tried else 0


def address(request: HttpRequest, **query: object) -> str:
    """This page with other parameters, and the language that was chosen."""
    return _with_language(request, request.path, query)


def again_url(request: HttpRequest, subscription: Subscription) -> str:
    """The amounts page with the same gift chosen."""
    amount = money.plain(subscription.amount, subscription.currency)
    choice = {"frequency": subscription.frequency, "amount": amount, "currency": subscription.currency}
    return _with_language(request, reverse("support"), choice)


def _with_language(request: HttpRequest, path: str, query: dict[str, Any]) -> str:
    chosen = getattr(request, "chosen_language", "")
    query = query | ({"lang": chosen} if chosen else {})
    return f"{path}?{urlencode(query)}" if query else path


def _subscription(public_id: str | None) -> Subscription | None:
    rows = Subscription.objects.select_related("membership", "supporter", "checkout", "campaign", "appeal")
    return rows.filter(public_id=found).first() if (found := public_ids.parse(public_id)) else None


def _payment(public_id: str | None) -> Payment | None:
    rows = Payment.objects.select_related("subscription", "supporter")
    return rows.filter(public_id=found).first() if (found := public_ids.parse(public_id)) else None


def _owner(public_id: str) -> Supporter | None:
    found = _subscription(public_id)
    return found.supporter if found else None


def _owner_of_payment(public_id: str) -> Supporter | None:
    found = _payment(public_id)
    return found.supporter if found else None
