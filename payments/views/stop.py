"""The page behind the stop link of a letter: GET shows one button and changes nothing, POST stops at Stripe.

No sign-in, no cookie: the signed link is the proof, and who does not have it cannot make a browser send it. Nobody is
told the link either (`no-referrer`), for which browsers send the POST with `Origin: null`: Django's CSRF check would
refuse everyone. No name on the page; the link may have been forwarded.
"""

from __future__ import annotations

import uuid

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from members import links
from payments import subscriptions
from payments.errors import AlreadyStopped, StripeRefused, StripeUnavailable
from payments.models import Payment, Subscription

REASONS = [
    ("money", _("Money is tight")),
    ("elsewhere", _("I give elsewhere now")),
    ("disagree", _("I disagree with something you published")),
    ("reading", _("I read you less")),
    ("trouble", _("The payment gave me trouble")),
    ("once", _("I only meant to give once")),
]


class ReasonForm(forms.Form):
    """Why, if they like. Nothing here can stop the stopping: what does not fit is left out."""

    reason = forms.ChoiceField(choices=REASONS, required=False)
    words = forms.CharField(max_length=1000, required=False, strip=True)

    def answers(self) -> tuple[str, str]:
        self.is_valid()
        return self.cleaned_data.get("reason", ""), self.cleaned_data.get("words", "")


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    subscription = _subscription(token)
    if request.method == "POST":
        return _stop(request, subscription)
    over = subscription.is_stopping or not subscription.is_alive or _is_accepted(subscription)
    return _page(request, subscription, "done" if over else "ask")


def _stop(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    reason, words = ReasonForm(request.POST).answers()
    try:
        subscriptions.request_stop(subscription, "mail", reason, words)
    except AlreadyStopped:
        return _page(request, subscription, "done")
    except StripeUnavailable:
        return _page(request, subscription, "unavailable", status=503)
    except StripeRefused:
        return _page(request, subscription, "refused", status=502)
    return _page(request, subscription, "done")


def _page(request: HttpRequest, subscription: Subscription, state: str, status: int = 200) -> HttpResponse:
    last = subscription.payments.filter(status=Payment.Status.SUCCEEDED).order_by("-paid_at").first()
    context = {
        "subscription": subscription,
        "patron_until": subscription.membership.paid_through if subscription.membership else None,
        "last_payment": last,
        "reasons": REASONS,
        "state": state,
    }
    response = render(request, "portal/stop.html", context, status=status)
    response["Referrer-Policy"] = "no-referrer"
    return response


def _subscription(token: str) -> Subscription:
    public_id = links.read("stop", token)
    try:
        return Subscription.objects.select_related("membership", "supporter").get(public_id=uuid.UUID(public_id or ""))
    except (ValueError, Subscription.DoesNotExist):
        raise Http404 from None


def _is_accepted(subscription: Subscription) -> bool:
    return subscription.changes.filter(kind="stop", state="accepted").exists()
