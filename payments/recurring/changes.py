"""Change requests for a recurring gift: stop, pause, lower, keep; and which of them can be offered.

Each request is a row, committed before Stripe is called; the latest request wins. change_calls.py sends it. The result
arrives as Stripe's events (subscriptions.py), which also queue the emails. Called by the stop page and the desk.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from members import clock
from members.models import Supporter, TimelineEntry
from payments import cases, money, rhythms
from payments.books import refund_requests
from payments.errors import AlreadyStopped, NothingToChange
from payments.giving import suggestions
from payments.giving.choices import next_on
from payments.models import Case, Frequency, Payment, Subscription, SubscriptionChange
from payments.recurring import bills, change_calls, change_params

Kind, State = SubscriptionChange.Kind, SubscriptionChange.State

PAUSE_MONTHS = 3
# The kinds of earlier unanswered requests that a new request of a kind replaces.
SUPERSEDES: dict[str, tuple[str, ...]] = {
    Kind.STOP: (Kind.KEEP, Kind.PAUSE, Kind.AMOUNT),
    Kind.KEEP: (Kind.STOP, Kind.PAUSE),
    Kind.PAUSE: (Kind.STOP, Kind.KEEP),
    Kind.AMOUNT: (Kind.STOP, Kind.AMOUNT),
}
# How old the last payment of a gift that was meant to be given once may be for staff to consider a refund.
OFFER_BACK_WITHIN = timedelta(days=60)


def request_stop(
    subscription: Subscription, surface: str, reason: str = "", words: str = "", actor: User | None = None
) -> SubscriptionChange:
    """Ask Stripe to stop charging; return the request. Our row changes, and the email goes out, when Stripe reports it.

    A second call while Stripe has not answered returns the same request. Never call it inside a transaction. Raises
    AlreadyStopped, StripeUnavailable (the request is stored and will be retried), StripeRefused.
    """
    change = record_stop(subscription, surface, reason, words, actor)
    change_calls.ask(change)
    return change


def request_pause(subscription: Subscription, surface: str) -> SubscriptionChange:
    """Ask Stripe to charge nothing for three months and then continue; return the request. Cancels a requested stop.

    A second call while Stripe has not answered returns the same request. Never call it inside a transaction. Raises
    NothingToChange (see `can_pause`), StripeUnavailable (the request is stored and will be retried), StripeRefused.
    """
    with _locked(subscription):
        change = _unanswered(subscription, Kind.PAUSE)
        if change is None:
            if not can_pause(subscription):
                raise NothingToChange(subscription.stripe_subscription_id)
            pause = {"behavior": "void", "resumes_at": int(resumes_at().timestamp())}
            params = {"pause_collection": pause, **change_params.no_stop(subscription)}
            change = _create(subscription, Kind.PAUSE, surface, params)
    change_calls.ask(change)
    return change


def request_amount(subscription: Subscription, amount: int, surface: str) -> SubscriptionChange:
    """Ask Stripe to charge this lower amount from the next payment on; return the request. Cancels a requested stop.

    `amount` is in minor units of the subscription's currency. Never call it inside a transaction. Raises
    NothingToChange (see `can_lower`; so a form sent twice lowers once), StripeUnavailable (the request is stored and
    will be retried), StripeRefused.
    """
    with _locked(subscription):
        change = _unanswered(subscription, Kind.AMOUNT, amount=amount)
        if change is None:
            if not can_lower(subscription, amount):
                raise NothingToChange(subscription.stripe_subscription_id)
            params = {"proration_behavior": "none", **change_params.no_stop(subscription)}
            amounts = {"amount": amount, "amount_before": subscription.amount}
            change = _create(subscription, Kind.AMOUNT, surface, params, **amounts)
    change_calls.ask(change)
    return change


def request_keep(subscription: Subscription, surface: str) -> SubscriptionChange:
    """Ask Stripe to cancel a requested stop or, if there is none, to end a pause; return the request.

    Never call it inside a transaction. Raises NothingToChange if there is neither or the subscription is over,
    StripeUnavailable (the request is stored and will be retried), StripeRefused.
    """
    with _locked(subscription):
        change = _unanswered(subscription, Kind.KEEP)
        if change is None:
            params = change_params.without_stop(subscription) or change_params.without_pause(subscription)
            if not params or current_state(subscription) == "over":
                raise NothingToChange(subscription.stripe_subscription_id)
            change = _create(subscription, Kind.KEEP, surface, {**change_params.no_stop(subscription), **params})
    change_calls.ask(change)
    return change


def record_stop(
    subscription: Subscription,
    surface: str,
    reason: str = "",
    words: str = "",
    actor: User | None = None,
    *,
    at_once: bool = False,
    public_id: uuid.UUID | None = None,
) -> SubscriptionChange:
    """Return the pending stop request for this subscription, creating it if there is none.

    Commit it before calling Stripe. With `at_once`, the subscription ends immediately, not at the end of the paid
    time. A new request gets `public_id`, or a random id. Locks the supporter's row: of two calls at the same moment,
    the second waits and returns the first one's request. Raises AlreadyStopped.
    """
    with _locked(subscription):
        if pending := _unanswered(subscription, Kind.STOP):
            return pending
        if subscription.is_ending_or_asked_to:
            raise AlreadyStopped(subscription.stripe_subscription_id)
        if reason == SubscriptionChange.Reason.MEANT_ONCE:
            _open_meant_once_case(subscription)
        return _create(
            subscription,
            Kind.STOP,
            surface,
            change_params.stop_params(subscription, at_once=at_once),
            reason=reason,
            words=words,
            actor=actor,
            at_once=at_once,
            public_id=public_id or uuid.uuid4(),
            end_before=subscription.cancel_at,
        )


def current_state(subscription: Subscription) -> str:
    """Return "over", "stopping", "paused" or "going".

    The last request that Stripe accepted but has not confirmed decides; without one, the subscription as last read
    from Stripe.
    """
    if not subscription.is_alive:
        return "over"
    accepted = list(subscription.changes.filter(state=State.ACCEPTED))
    if subscription.stops_after(accepted):
        ends_later = subscription.status in change_params.STOPS_AT_PERIOD_END
        return "stopping" if ends_later and not subscription.ends_at_once_after(accepted) else "over"
    return "paused" if subscription.pauses_by(State.ACCEPTED) else "going"


def can_pause(subscription: Subscription) -> bool:
    """Return whether a pause can be requested: for a gift that is up to date, not paused, and taken often enough.

    Stripe would keep retrying the payment of a gift that is behind.
    """
    if subscription.status not in change_params.STOPS_AT_PERIOD_END or is_too_rare_to_pause(subscription):
        return False
    return not subscription.pauses_by(*SubscriptionChange.UNSEEN)


def is_too_rare_to_pause(subscription: Subscription) -> bool:
    """Return whether a pause would skip nothing, or a payment for more than its own length, as for a yearly gift.

    Also for a gift whose rhythm is not known.
    """
    interval = subscription.interval or subscription.frequency
    next_on = rhythms.later(clock.today(), interval, subscription.interval_count)
    return next_on is None or next_on > clock.day_of(resumes_at())


def can_lower(subscription: Subscription, amount: int) -> bool:
    """Return whether this amount can be requested, in minor units of the subscription's currency.

    It must be lower than the current or requested amount and within our limits. The subscription must not be over, and
    our forms could have made it: with other items, a quantity or a discount, the sum would be another one.
    """
    if not subscription.is_alive or not subscription.is_as_offered or amount >= asked_amount(subscription):
        return False
    try:
        money.check_limits(amount, subscription.currency, subscription.frequency)
    except (KeyError, money.AmountError):
        return False
    return True


def lower_amount(subscription: Subscription) -> int | None:
    """Return the lower amount to offer, in minor units of the subscription's currency, or None if there is none."""
    if not subscription.is_as_offered:
        return None
    return suggestions.lower(asked_amount(subscription), subscription.currency, subscription.frequency)


def asked_amount(subscription: Subscription) -> int:
    """Return the amount last requested from Stripe and not confirmed yet, else the current one, in minor units."""
    waiting = subscription.changes.filter(kind=Kind.AMOUNT, state__in=SubscriptionChange.UNSEEN).first()
    return waiting.amount if waiting and waiting.amount else subscription.amount


def resumes_at() -> datetime:
    """Return when a pause that begins today ends: at midnight, when its last day begins.

    So a payment due on that day is taken, at whatever hour Stripe charges.
    """
    day = next_on(Frequency.MONTH, clock.today(), times=PAUSE_MONTHS)
    assert day is not None  # noqa: S101 - a month has a next one
    return timezone.make_aware(datetime.combine(day, time.min))


@contextmanager
def _locked(subscription: Subscription) -> Iterator[None]:
    """Run the block in a transaction with the supporter's row locked and the subscription freshly loaded.

    So nobody else stores a request about the same supporter at the same time.
    """
    with transaction.atomic():
        Supporter.objects.select_for_update().get(pk=subscription.supporter_id)
        subscription.refresh_from_db()
        yield


def _unanswered(subscription: Subscription, kind: SubscriptionChange.Kind, **values: int) -> SubscriptionChange | None:
    return subscription.changes.filter(kind=kind, state=State.REQUESTED, **values).first()


def _create(
    subscription: Subscription, kind: SubscriptionChange.Kind, surface: str, params: dict[str, Any], **values: Any
) -> SubscriptionChange:
    """Store a request and a timeline entry, and mark the unanswered requests that it replaces as superseded."""
    replaced = subscription.changes.filter(kind__in=SUPERSEDES[kind], state=State.REQUESTED)
    replaced.update(state=State.SUPERSEDED)
    TimelineEntry.objects.create(
        supporter=subscription.supporter,
        action=f"subscription.{kind}_requested",
        actor=values.get("actor"),
        details={"subscription": subscription.pk, "surface": surface, "reason": values.get("reason", "")},
    )
    change: SubscriptionChange = subscription.changes.create(
        kind=kind, surface=surface, stripe_params=params, has_bills_to_check=kind in bills.CHECKED, **values
    )
    return change


def _open_meant_once_case(subscription: Subscription) -> None:
    """Open a case, once per subscription, for a supporter who only meant to give once.

    A person decides whether the last payment is refunded. No case if it is older than OFFER_BACK_WITHIN or if nothing
    of it can be refunded.
    """
    received = subscription.payments.filter(status=Payment.Status.SUCCEEDED)
    last = received.order_by("-paid_at", "-pk").first()
    if last and last.paid_at and last.paid_at > clock.now() - OFFER_BACK_WITHIN and refund_requests.left(last):
        facts = {"subscription": subscription.pk, "payments": [last.pk]}
        key = f"subscription:{subscription.pk}:meant_once"
        cases.open_case(Case.Kind.MEANT_ONCE, key, subscription.supporter, facts)
