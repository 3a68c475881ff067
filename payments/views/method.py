"""The page behind a link to change the card or bank of a gift: one button to Stripe's page, the return, other gifts.

GET changes nothing here: on return from Stripe it notes the return, shows our rows and requests a fresh read from
Stripe, through the queue. The rules are portal.py, method_changes.py and overdue.py in payments/recurring/.

The link in an email is signed as "method": whoever opens it reads the supporter's email. The one on the stop page is
signed as "card", because that page is also reached by a reader who only typed an address; it names no other gift.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from members.links import public_ids
from payments import key_faults
from payments.accounts import account as accounts
from payments.errors import KeyRefused, StripeRefused, StripeUnavailable
from payments.guard import entry
from payments.letters import declines
from payments.models import Payment, Subscription
from payments.recurring import method_changes, overdue, portal, unanswered
from payments.views import linked

# States after which the other gifts are offered the same way to pay.
SETTLED = ("same", "changed", "paid", "processing")


@never_cache
@csrf_exempt  # why: members/links/pages.py
@require_http_methods(["GET", "HEAD", "POST"])
def method(request: HttpRequest, token: str) -> HttpResponse:
    by_email = linked.subscription("method", token)
    subscription = by_email or linked.subscription("card", token)
    if subscription is None:
        return linked.unopened(request, "method", token)
    if not subscription.is_alive:
        return _page(request, subscription, "over")
    others = method_changes.elsewhere(subscription) if by_email else []
    if request.method == "POST":
        return _act(request, subscription, others)
    if "back" in request.GET:
        return _back(request, subscription, others)
    return _page(request, subscription, "left" if "left" in request.GET else "ask")


def _act(request: HttpRequest, subscription: Subscription, others: list[Subscription]) -> HttpResponse:
    """Lead to Stripe's page for this gift or, with `gift`, for another one; with `do=share`, use one way for all."""
    if not entry.may_visit(request, "method", str(subscription.public_id)):
        return _page(request, subscription, "busy", status=429)
    if request.POST.get("do") == "share":
        method_changes.share(subscription)
        return linked.private(HttpResponseRedirect(linked.address(request, back=1, shared=1), status=303))
    named = public_ids.parse(request.POST.get("gift"))
    other = next((each for each in others if each.public_id == named), None)
    return _to_stripe(request, subscription, other or subscription)


def _to_stripe(request: HttpRequest, subscription: Subscription, gift: Subscription) -> HttpResponse:
    """Redirect to Stripe's page for `gift`, which leads back to that gift's own page of ours."""
    path = request.path if gift == subscription else f"/method/{linked.token(request, 'method', str(gift.public_id))}/"
    back, left = (f"{settings.SITE_URL}{linked.with_language(request, path, {how: 1})}" for how in ("back", "left"))
    try:
        with key_faults.noted("method-page"):
            url = portal.begin(gift, back, left, get_language() or "")
    except KeyRefused:
        return _page(request, subscription, "ours", status=503)
    except StripeUnavailable:
        return _page(request, subscription, "unavailable", status=503)
    except StripeRefused as problem:
        unanswered.note_refused_newest(subscription.portal_visits.all(), problem)
        return _page(request, subscription, "refused", status=502)
    return linked.private(HttpResponseRedirect(url, status=303))


def _back(request: HttpRequest, subscription: Subscription, others: list[Subscription]) -> HttpResponse:
    """Show the result of the newest visit to Stripe's page; while it is not known, request a fresh read."""
    visit = portal.last_visit(subscription)
    if visit is None:
        return _page(request, subscription, "ask")
    has_chosen = method_changes.note_return(visit)
    state, payment, code = overdue.outcome(visit)
    if state == "checking" and not has_chosen:
        return _page(request, subscription, "ask")
    if state in ("checking", "processing"):
        portal.look_again(visit, payment)
    context: dict[str, Any] = {"payment": payment, "reason": declines.for_reader(code)}
    if state in SETTLED and "shared" in request.GET:
        context |= {"is_shared": True}
    elif state in SETTLED:
        context |= {"sharing": method_changes.sharing(subscription), "others": others}
    return _page(request, subscription, state, **context)


def _page(request: HttpRequest, subscription: Subscription, state: str, status: int = 200, **more: Any) -> HttpResponse:
    behind = overdue.payments_behind(subscription)
    payment: Payment | None = more.pop("payment", None)
    done = linked.tries(request)
    shown = payment or (behind[0] if behind else None)
    context: dict[str, Any] = {
        "subscription": subscription,
        "account": accounts.of(subscription),
        "state": state,
        "payment": shown,
        "is_behind": bool(behind),
        "confirm_path": f"/confirm/{linked.token(request, 'confirm', str(payment.public_id))}/" if payment else "",
        "stop_path": f"/stop/{linked.token(request, 'stop', str(subscription.public_id))}/",
        "again_url": linked.again_url(request, subscription),
        "next_url": linked.address(request, back=1, **{"try": done + 1}) if done < linked.MOST_TRIES else "",
        "last_url": linked.address(request, back=1, **{"try": linked.MOST_TRIES}),
        "look_url": linked.address(request, back=1),
        **more,
    }
    return linked.page(request, "portal/method.html", context, status)
