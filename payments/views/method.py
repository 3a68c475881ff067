"""The page behind an email's link to change the card or bank of a gift: one button to Stripe's page, and the return.

GET changes nothing here: on return from Stripe it shows our rows and requests a fresh read from Stripe, through the
queue. The rules are payments/recurring/portal.py and payments/recurring/overdue.py.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from members.links import signed
from payments.errors import StripeRefused, StripeUnavailable
from payments.letters import declines
from payments.models import Payment, Subscription
from payments.recurring import overdue, portal, unanswered
from payments.views import linked


@never_cache
@csrf_exempt  # why: members/links/pages.py
@require_http_methods(["GET", "HEAD", "POST"])
def method(request: HttpRequest, token: str) -> HttpResponse:
    subscription = linked.subscription("method", token)
    if subscription is None:
        return linked.unopened(request, "method", token)
    if not subscription.is_alive:
        return _page(request, subscription, "over")
    if request.method == "POST":
        return _to_stripe(request, subscription)
    if "back" in request.GET:
        return _back(request, subscription)
    return _page(request, subscription, "left" if "left" in request.GET else "ask")


def _to_stripe(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    back, left = (f"{settings.SITE_URL}{linked.address(request, **{how: 1})}" for how in ("back", "left"))
    try:
        url = portal.begin(subscription, back, left, get_language() or "")
    except StripeUnavailable:
        return _page(request, subscription, "unavailable", status=503)
    except StripeRefused as problem:
        unanswered.note_refused_newest(subscription.portal_visits.all(), problem)
        return _page(request, subscription, "refused", status=502)
    return linked.private(HttpResponseRedirect(url, status=303))


def _back(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    """Show the result of the newest visit to Stripe's page; while it is not known, request a fresh read."""
    visit = portal.last_visit(subscription)
    if visit is None:
        return _page(request, subscription, "ask")
    state, payment, code = overdue.outcome(visit)
    if state in ("checking", "processing"):
        portal.look_again(visit, payment)
    return _page(request, subscription, state, payment, declines.for_reader(code))


def _page(
    request: HttpRequest,
    subscription: Subscription,
    state: str,
    payment: Payment | None = None,
    reason: str = "",
    status: int = 200,
) -> HttpResponse:
    behind = overdue.payments_behind(subscription)
    done = linked.tries(request)
    context: dict[str, Any] = {
        "subscription": subscription,
        "state": state,
        "payment": payment or (behind[0] if behind else None),
        "is_behind": bool(behind),
        "reason": reason,
        "confirm_path": f"/confirm/{signed.sign('confirm', str(payment.public_id))}/" if payment else "",
        "stop_path": f"/stop/{signed.sign('stop', str(subscription.public_id))}/",
        "again_url": linked.again_url(request, subscription),
        "next_url": linked.address(request, back=1, **{"try": done + 1}) if done < linked.MOST_TRIES else "",
        "last_url": linked.address(request, back=1, **{"try": linked.MOST_TRIES}),
        "look_url": linked.address(request, back=1),
    }
    return linked.page(request, "portal/method.html", context, status)
