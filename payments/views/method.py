"""The page behind a letter's link to change how a gift is paid: one button to Stripe's page, and the way back.

GET changes nothing: on the way back it tells what our rows say and asks for a fresh look at Stripe's.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from payments import portal
from payments.errors import StripeRefused, StripeUnavailable
from payments.models import Subscription
from payments.views import linked


@never_cache
@csrf_exempt  # why: payments/views/linked.py
@require_http_methods(["GET", "HEAD", "POST"])
def method(request: HttpRequest, token: str) -> HttpResponse:
    subscription = linked.subscription("method", token)
    if subscription is None:
        return linked.unknown(request, "method", token)
    if request.method == "POST" and subscription.is_alive:
        return _to_stripe(request, subscription)
    return _page(request, subscription, "ask" if subscription.is_alive else "over")


def _to_stripe(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    back, left = (f"{settings.SITE_URL}{linked.address(request, **{how: 1})}" for how in ("back", "left"))
    try:
        url = portal.begin(subscription, back, left, get_language() or "")
    except StripeUnavailable:
        return _page(request, subscription, "unavailable", status=503)
    except StripeRefused:
        return _page(request, subscription, "refused_there", status=502)
    return linked.private(HttpResponseRedirect(url, status=303))


def _page(request: HttpRequest, subscription: Subscription, state: str, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"subscription": subscription, "state": state}
    return linked.page(request, "portal/method.html", context, status)
