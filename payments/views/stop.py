"""The page behind an email's stop link: GET shows the choices and changes nothing, POST requests one from Stripe.

The form's `do` says which: `stop` (also if it is missing), `pause`, `lower` with an `amount` in minor units, or `keep`,
which undoes a stop or a pause. Stopping takes one press: the other choices are next to the button, never before it.
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
from payments.accounts import account as accounts
from payments.accounts import under_way
from payments.errors import AlreadyStopped, KeyRefused, NothingToChange, StripeRefused, StripeUnavailable
from payments.models import Payment, Subscription, SubscriptionChange
from payments.recurring import bills, changes, unanswered
from payments.views import linked

SURFACE = "mail"
DONE = {"over": "done", "stopping": "done", "paused": "paused", "going": "ask"}


class ReasonForm(forms.Form):
    """The optional reason for a stop. Invalid answers are dropped, so that they can never prevent the stop."""

    reason = forms.ChoiceField(choices=SubscriptionChange.Reason, required=False)
    words = forms.CharField(max_length=1000, required=False, strip=True)

    def answers(self) -> tuple[str, str]:
        """Return the reason and the supporter's own words; each empty if missing or invalid."""
        self.is_valid()
        return self.cleaned_data.get("reason", ""), self.cleaned_data.get("words", "")


@dataclass(frozen=True)
class Instead:
    """The offers next to the stop button: the end of a pause, and a lower amount (minor units). None: not offered.

    `is_too_rare`: there is no pause because the gift is taken less often than every three months.
    """

    pause_until: date | None
    lower: int | None
    is_too_rare: bool


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
    except KeyRefused:
        return _page(request, subscription, "ours", status=503)
    except StripeUnavailable:
        return _page(request, subscription, "unavailable", status=503)
    except StripeRefused as problem:
        unanswered.note_refused_newest(subscription.changes.all(), problem)
        return _page(request, subscription, "refused", status=502)
    subscription.refresh_from_db()
    return _page(request, subscription, state)


def _do(request: HttpRequest, subscription: Subscription) -> str:
    """Request what the form says; return the state of the page. A request already fulfilled shows the same page.

    Raises StripeUnavailable or StripeRefused.
    """
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
    return _state_after(subscription, wanted, _amount(request, subscription))


def _state_after(subscription: Subscription, wanted: str, amount: int) -> str:
    """Return the state of the page after a request, from what Stripe accepted, so that two tabs show the same."""
    state = DONE[changes.current_state(subscription)]
    if state == "ask" and wanted == "lower" and changes.asked_amount(subscription) == amount:
        return "lowered"
    return "kept" if state == "ask" and wanted == "keep" else state


def _amount(request: HttpRequest, subscription: Subscription) -> int:
    """Return the amount of the pressed button in minor units; without a valid one, the amount offered now, or 0."""
    given = request.POST.get("amount", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 15 else _offered(subscription) or 0


def _offered(subscription: Subscription) -> int | None:
    return changes.lower_amount(subscription)


def _page(request: HttpRequest, subscription: Subscription, state: str, status: int = 200) -> HttpResponse:
    received = subscription.payments.filter(status=Payment.Status.SUCCEEDED).order_by("-paid_at")
    account = accounts.of(subscription)
    context = {
        "subscription": subscription,
        "account": account,
        "gift_state": changes.current_state(subscription),
        "amount": changes.asked_amount(subscription),
        "patron_until": _patron_until(subscription),
        "last_payment": received.first(),
        "under_way": account.under_way,
        "with_bank": [bill for bill in account.under_way if bill.state == under_way.BANK],
        "is_checking": bills.are_open(subscription),
        "undo_until": (subscription.ends_on if subscription.is_stopping else None) or subscription.renews_on,
        "paused_until": _paused_until(subscription),
        "stays_paused": subscription.pauses_by(SubscriptionChange.State.ACCEPTED),
        "months": months_between(clock.day_of(subscription.started_at), _last_day(subscription)),
        "stopped": subscription.changes.filter(kind="stop").exclude(state__in=("failed", "overtaken")).first(),
        "instead": _instead(subscription),
        "is_news": request.method == "POST",
        "method_path": f"/method/{linked.token(request, 'card', str(subscription.public_id))}/",
        "again_url": linked.again_url(request, subscription),
        "reasons": SubscriptionChange.Reason.choices,
        "trouble": state in ("unavailable", "ours"),
        "state": state,
    }
    return linked.page(request, "portal/stop.html", context, status)


def _patron_until(subscription: Subscription) -> date | None:
    """Return the last day through which this gift makes them a patron; None if it has passed or there is none."""
    until = subscription.membership.paid_through if subscription.membership else None
    return until if until and until >= clock.today() else None


def _last_day(subscription: Subscription) -> date:
    """Return the last day of the time that the page gives thanks for: today, or the day the gift ended."""
    return clock.day_of(subscription.ended_at or clock.now())


def _paused_until(subscription: Subscription) -> date | None:
    """Return the day a pause ends, or the day a pause requested now would end; None for one without an end."""
    if subscription.resumes_at or not subscription.collection_paused:
        return clock.day_of(subscription.resumes_at or changes.resumes_at())
    return None


def _instead(subscription: Subscription) -> Instead:
    pause_until = clock.day_of(changes.resumes_at()) if changes.can_pause(subscription) else None
    return Instead(pause_until, _offered(subscription), changes.is_too_rare_to_pause(subscription))


def months_between(first: date, last: date) -> int:
    """Return the whole months between two days; 0 if `last` is before `first`."""
    return max(0, (last.year - first.year) * 12 + last.month - first.month - (last.day < first.day))
