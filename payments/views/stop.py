"""The page behind the stop link of a letter: GET shows what can be done and changes nothing, POST does it at Stripe.

`do` in the form says what: stop (also when it is missing), pause, lower with an `amount` in minor units, or keep,
which undoes a stop or a pause. Nothing stands between the reader and the end: the rest is beside the button.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from members import clock
from members.links import signed
from payments.errors import AlreadyStopped, NothingToChange, StripeRefused, StripeUnavailable
from payments.models import Payment, Subscription, SubscriptionChange
from payments.recurring import changes
from payments.views import linked

SURFACE = "mail"
DONE = {"over": "done", "stopping": "done", "paused": "paused", "going": "ask"}


class ReasonForm(forms.Form):
    """Why, if they like. Nothing here can stop the stopping: what does not fit is left out."""

    reason = forms.ChoiceField(choices=SubscriptionChange.Reason, required=False)
    words = forms.CharField(max_length=1000, required=False, strip=True)

    def answers(self) -> tuple[str, str]:
        self.is_valid()
        return self.cleaned_data.get("reason", ""), self.cleaned_data.get("words", "")


@dataclass(frozen=True)
class Instead:
    """What is offered beside the button, with its dates and amounts; each None where it makes no sense."""

    pause_until: date | None
    lower: int | None


@never_cache
@csrf_exempt  # why: members/links/pages.py
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    subscription = linked.subscription("stop", token)
    if subscription is None:
        return linked.unopened(request, "stop", token)
    if request.method != "POST":
        return _page(request, subscription, DONE[changes.current_state(subscription)])
    try:
        state = _do(request, subscription)
    except StripeUnavailable:
        return _page(request, subscription, "unavailable", status=503)
    except StripeRefused:
        return _page(request, subscription, "refused", status=502)
    subscription.refresh_from_db()
    return _page(request, subscription, state)


def _do(request: HttpRequest, subscription: Subscription) -> str:
    """Do what the form says; returns the state of the page. What is so already is told like what was done now."""
    wanted = request.POST.get("do", "")
    try:
        if wanted == "pause":
            changes.request_pause(subscription, SURFACE)
        elif wanted == "keep":
            changes.request_keep(subscription, SURFACE)
        elif wanted == "lower":
            changes.request_amount(subscription, _amount(request, subscription), SURFACE)
        else:
            changes.request_stop(subscription, SURFACE, *ReasonForm(request.POST).answers())
    except (AlreadyStopped, NothingToChange):
        pass
    return _told(subscription, wanted, _amount(request, subscription))


def _told(subscription: Subscription, wanted: str, amount: int) -> str:
    """What the page says afterwards: by what Stripe accepted, so of two tabs both say the same."""
    state = DONE[changes.current_state(subscription)]
    if state == "ask" and wanted == "lower" and changes.asked_amount(subscription) == amount:
        return "lowered"
    return "kept" if state == "ask" and wanted == "keep" else state


def _amount(request: HttpRequest, subscription: Subscription) -> int:
    """The amount the button named, in minor units; without one, what the page would offer now."""
    given = request.POST.get("amount", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 15 else _offered(subscription) or 0


def _offered(subscription: Subscription) -> int | None:
    return changes.lower_amount(subscription)


def _page(request: HttpRequest, subscription: Subscription, state: str, status: int = 200) -> HttpResponse:
    received = subscription.payments.filter(status=Payment.Status.SUCCEEDED).order_by("-paid_at")
    context = {
        "subscription": subscription,
        "gift_state": changes.current_state(subscription),
        "amount": changes.asked_amount(subscription),
        "patron_until": _patron_until(subscription),
        "last_payment": received.first(),
        "paused_until": _paused_until(subscription),
        "stays_paused": subscription.pauses_by(SubscriptionChange.State.ACCEPTED),
        "months": months_between(clock.day_of(subscription.started_at), _last_day(subscription)),
        "stopped": subscription.changes.filter(kind="stop").exclude(state__in=("failed", "overtaken")).first(),
        "instead": _instead(subscription),
        "is_news": request.method == "POST",
        "method_path": f"/method/{signed.sign('method', str(subscription.public_id))}/",
        "again_url": linked.again_url(request, subscription),
        "reasons": SubscriptionChange.Reason.choices,
        "state": state,
    }
    return linked.page(request, "portal/stop.html", context, status)


def _patron_until(subscription: Subscription) -> date | None:
    """Until when it makes them a patron; None when that time is over, or never was."""
    until = subscription.membership.paid_through if subscription.membership else None
    return until if until and until >= clock.today() else None


def _last_day(subscription: Subscription) -> date:
    """Of the time that somebody is thanked for: today, or the day on which it ended."""
    return clock.day_of(subscription.ended_at or clock.now())


def _paused_until(subscription: Subscription) -> date | None:
    """When a pause ends, also one just asked for; None for one made at Stripe without end."""
    if subscription.resumes_at or not subscription.collection_paused:
        return clock.day_of(subscription.resumes_at or changes.resumes_at())
    return None


def _instead(subscription: Subscription) -> Instead:
    pause_until = clock.day_of(changes.resumes_at()) if changes.can_pause(subscription) else None
    return Instead(pause_until, _offered(subscription))


def months_between(first: date, last: date) -> int:
    """Whole months from one day to another."""
    return max(0, (last.year - first.year) * 12 + last.month - first.month - (last.day < first.day))
