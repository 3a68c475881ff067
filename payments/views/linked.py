"""The shared parts of pages behind an email's link: find its subscription or payment, offer a fresh link.

No sign-in and no cookie: the signed link is the proof. members/links/pages.py explains why these views are exempt from
Django's CSRF check. The pages name nobody, because the link may have been forwarded.
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
from payments.giving import own_customers
from payments.guard import entry
from payments.models import Payment, Subscription

MOST_TRIES = 6
RETRY_AFTER = {503: "60", 429: str(entry.VISITS_SECONDS)}


def subscription(purpose: str, token: str) -> Subscription | None:
    """Return the subscription that a link of this purpose points at; None if the link is invalid or has expired."""
    return _subscription(signed.read(purpose, token))


def payment(purpose: str, token: str) -> Payment | None:
    """Return the payment that a link of this purpose points at; None if the link is invalid or has expired."""
    return _payment(signed.read(purpose, token))


def unopened(request: HttpRequest, purpose: str, token: str) -> HttpResponse:
    """Return the page for a link that did not open: offer to email a fresh one if it expired, else 404."""
    owner = _owner_of_payment if purpose == "confirm" else _owner
    try:
        return private(link_pages.expired(request, purpose, token, owner))
    except Http404:
        return page(request, "give/unknown_link.html", {}, status=404)


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a page behind a link. With status 503 or 429, browsers are asked to try again in a minute or in ten."""
    response = private(link_pages.page(request, template, context, status))
    if status in RETRY_AFTER:
        response["Retry-After"] = RETRY_AFTER[status]
    return response


def private(response: HttpResponse) -> HttpResponse:
    """Return the response with its address withheld from other sites. Each view is also `never_cache`."""
    response["Referrer-Policy"] = "no-referrer"
    return response


def tries(request: HttpRequest) -> int:
    """Return how often the page has reloaded itself, from `?try=`; 0 without it, MOST_TRIES if it is invalid."""
    tried = request.GET.get("try", "")
    return int(tried) if tried in {str(number) for number in range(MOST_TRIES + 1)} else MOST_TRIES if tried else 0


def address(request: HttpRequest, **query: object) -> str:
    """Return the address of this page with other parameters and the chosen language."""
    return with_language(request, request.path, query)


def token(request: HttpRequest, purpose: str, value: str) -> str:
    """Return a token for another page, which works no longer than the link behind which this page is."""
    here = request.resolver_match.kwargs["token"] if request.resolver_match else ""
    ends = (signed.last_day(each, here) for each in ("stop", "method", "card", "confirm"))
    return signed.sign(purpose, value, next(filter(None, ends), None))


def again_url(request: HttpRequest, subscription: Subscription) -> str:
    """Return the address of the amount page with the same gift chosen, if our forms offer it."""
    choice = {"currency": subscription.currency}
    if subscription.is_as_offered:
        amount = money.plain(subscription.amount, subscription.currency)
        choice = {"frequency": subscription.frequency, "amount": amount} | choice
    if begun := subscription.checkout:
        choice["again"] = token(request, own_customers.PURPOSE, str(begun.public_id))
    return with_language(request, reverse("support"), choice)


def with_language(request: HttpRequest, path: str, query: dict[str, Any]) -> str:
    """Return this path with the query and the chosen language."""
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
