"""The page to which Stripe returns the reader: the state of one checkout, also after a reload or on another device.

It shows our rows. Until they show a result, the session is read from Stripe and applied by the drain's own function
under the lock of its customer, so that the thank-you mostly stands on the first view. It grants nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_safe

from members import addresses, clock
from members.links import public_ids, signed
from members.models import Supporter
from payments.accounts import account as accounts
from payments.giving import checkout as checkouts
from payments.giving.choices import next_on, of_checkout
from payments.guard import expiring
from payments.letters import declines, drafts
from payments.models import Checkout, Payment, Subscription
from payments.webhooks import drain

MOST_TRIES = 6
UNDECIDED = ("checking", "not_finished", "processing", "waiting")
# How long a page view waits for the lock of its customer, which the drain may hold.
PATIENCE_SECONDS = 2.0
# How long after a gift was begun this page itself leads to stopping or changing it.
CHANGES_FOR = timedelta(days=1)


@require_safe
def come_back(request: HttpRequest, token: str) -> HttpResponse:
    """Show the state of the checkout that the signed token names; 404 for an unknown or expired token."""
    checkout = _find(token)
    if checkout is None:
        return _private(render(request, "give/unknown_link.html", status=404))
    _use_checkout_language(request, checkout)
    state = checkouts.state_of(checkout, left=request.GET.get("left") == "1")
    if state in UNDECIDED and (event := checkouts.claim_read(checkout)):
        drain.work_now(event, PATIENCE_SECONDS)
        checkout = _find(token) or checkout
        state = checkouts.state_of(checkout, left=request.GET.get("left") == "1")
    return _private(render(request, f"give/return_{state}.html", _page(request, checkout, state)))


def _find(token: str) -> Checkout | None:
    public_id = public_ids.parse(signed.read("return", token))
    rows = Checkout.objects.select_related("campaign", "appeal", "subscription").prefetch_related("payments")
    return rows.filter(public_id=public_id).first() if public_id else None


def _use_checkout_language(request: HttpRequest, checkout: Checkout) -> None:
    """Switch the page to the language of the checkout, unless the address chooses one: Stripe's page returns none."""
    if not request.chosen_language and checkout.language != translation.get_language():  # type: ignore[attr-defined]
        translation.activate(checkout.language)
        request.LANGUAGE_CODE = request.chosen_language = checkout.language  # type: ignore[attr-defined]


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _page(request: HttpRequest, checkout: Checkout, state: str) -> dict[str, Any]:
    subscription: Subscription | None = getattr(checkout, "subscription", None)
    payment = _payment(checkout)
    tries, account = _tries(request), accounts.of(subscription) if subscription else None
    choice = urlencode(of_checkout(checkout).fields() | _language(request))
    return {
        "state": state,
        "account": account,
        "checkout": checkout,
        "payment": payment,
        "subscription": subscription,
        "first_name": drafts.greeting_name(Supporter(name=checkout.name)),
        "masked_email": masked(checkout.email),
        "started_on": clock.day_of(checkout.created_at),
        "paid_on": clock.day_of(payment.paid_at) if payment and payment.paid_at else None,
        "next_on": account.next_on if account else next_on(checkout.frequency, clock.day_of(checkout.created_at)),
        "next_amount": account.amount if account else checkout.amount,
        "reason": declines.for_reader(payment.failure_code) if payment else "",
        "next_try": tries + 1 if tries < MOST_TRIES else None,
        "last_try": f"{request.path}?{urlencode({'try': MOST_TRIES} | _language(request))}",
        "stop_url": _stop_url(checkout, subscription),
        "method_url": _method_url(checkout, account),
        "again_url": f"{reverse('support_details')}?{choice}",
        "change_url": f"{reverse('support')}?{choice}",
        "was_closed": state == "expired" and expiring.was_closed(checkout),
        "continue_url": checkout.stripe_session_url if checkout.status == Checkout.Status.OPEN else "",
    }


def _payment(checkout: Checkout) -> Payment | None:
    """Return the payment to show: the first that was received, else the last that was tried; None without any."""
    payments = sorted(checkout.payments.all(), key=lambda payment: payment.created_at)
    received = [payment for payment in payments if payment.status == Payment.Status.SUCCEEDED]
    return received[0] if received else payments[-1] if payments else None


def _stop_url(checkout: Checkout, subscription: Subscription | None) -> str:
    """Return the address that stops the gift; empty if there is none that could be stopped."""
    if subscription is None or not subscription.is_alive or subscription.is_stopping:
        return ""
    return _on_first_day(checkout, "stop", subscription)


def _method_url(checkout: Checkout, account: accounts.Account | None) -> str:
    """Return the address to change the card or bank if a payment is overdue; empty otherwise."""
    if account is None or account.state != accounts.State.PAST_DUE:
        return ""
    return _on_first_day(checkout, "card", account.subscription)


def _on_first_day(checkout: Checkout, purpose: str, subscription: Subscription) -> str:
    """Return the address of a page that changes the gift, on the day on which it was begun.

    Later it is that of the page which emails such a link: the address of this page stays in a browser.
    """
    if clock.now() - checkout.created_at > CHANGES_FOR:
        return reverse("support_manage")
    token = signed.sign(purpose, str(subscription.public_id), datetime.now(UTC).date() + CHANGES_FOR)
    return f"/{'stop' if purpose == 'stop' else 'method'}/{token}/"


def _tries(request: HttpRequest) -> int:
    tried = request.GET.get("try", "")
    return int(tried) if tried in {str(number) for number in range(MOST_TRIES + 1)} else MOST_TRIES if tried else 0


def _language(request: HttpRequest) -> dict[str, str]:
    chosen = getattr(request, "chosen_language", "")
    return {"lang": chosen} if chosen else {}


def masked(email: str) -> str:
    """Return an email address as in o…@example.org: enough to recognise one's own, too little to learn another's."""
    local, _at, domain = addresses.readable(email).rpartition("@")
    return f"{local[:1]}…\u2060@{domain}"
