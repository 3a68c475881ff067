"""What somebody wants changed of a recurring gift: stop, pause, give less, keep going after all. Asked of Stripe here.

A wish is a row, committed before Stripe is asked; the last wish wins. What became of it is told by Stripe's object
(subscriptions.py follows it, and owes the letters). Called by doors, and by unanswered.py for what a crash left open.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from members import clock
from members.models import Supporter, TimelineEntry
from payments import cases, money, stripe_requests
from payments.books import refund_requests
from payments.errors import AlreadyStopped, NothingToChange, StripeRefused
from payments.giving import suggestions
from payments.giving.choices import next_on
from payments.models import Case, Frequency, Payment, Subscription, SubscriptionChange
from payments.recurring import change_params, subscriptions
from payments.stripe_api import client

Kind, State = SubscriptionChange.Kind, SubscriptionChange.State

PAUSE_MONTHS = 3
# Which earlier wishes that Stripe has not answered a new one takes the place of.
OVERTAKES: dict[str, tuple[str, ...]] = {
    Kind.STOP: (Kind.KEEP, Kind.PAUSE, Kind.AMOUNT),
    Kind.KEEP: (Kind.STOP, Kind.PAUSE),
    Kind.PAUSE: (Kind.STOP, Kind.KEEP),
    Kind.AMOUNT: (Kind.STOP, Kind.AMOUNT),
}
# For how long the money of a recurring gift that was never meant may go back.
OFFER_BACK_WITHIN = timedelta(days=60)


def request_stop(
    subscription: Subscription, surface: str, reason: str = "", words: str = "", actor: User | None = None
) -> SubscriptionChange:
    """Ask Stripe to charge nothing more. Our row changes when Stripe's object says so; the mail goes out then.

    Raises AlreadyStopped, StripeUnavailable (written down, taken up again; asking again is the same request),
    StripeRefused. Never call it inside a transaction.
    """
    change = write_down_stop(subscription, surface, reason, words, actor)
    ask(change)
    return change


def request_pause(subscription: Subscription, surface: str) -> SubscriptionChange:
    """Ask Stripe to take nothing for three months, and to go on by itself then. A stop that was asked for is undone.

    Raises NothingToChange (paused already, behind with a payment, yearly, or over), StripeUnavailable, StripeRefused.
    """
    with _held(subscription):
        change = _open(subscription, Kind.PAUSE)
        if change is None:
            if not can_pause(subscription):
                raise NothingToChange(subscription.stripe_subscription_id)
            pause = {"behavior": "void", "resumes_at": int(resumes_at().timestamp())}
            params = {"pause_collection": pause, **change_params.no_stop(subscription)}
            change = _written(subscription, Kind.PAUSE, surface, params)
    ask(change)
    return change


def request_amount(subscription: Subscription, amount: int, surface: str) -> SubscriptionChange:
    """Ask Stripe to take this much, in minor units of its currency, from the next payment on. A stop is undone.

    Raises NothingToChange when that is asked for already (so a form sent twice lowers once), is not lower, or is below
    the least we accept; StripeUnavailable, StripeRefused.
    """
    price = change_params.price(client.read_subscription(subscription.stripe_subscription_id), amount)
    with _held(subscription):
        change = _open(subscription, Kind.AMOUNT, amount=amount)
        if change is None:
            if not can_lower(subscription, amount):
                raise NothingToChange(subscription.stripe_subscription_id)
            params = {"items": [price], "proration_behavior": "none", **change_params.no_stop(subscription)}
            both = {"amount": amount, "amount_before": subscription.amount}
            change = _written(subscription, Kind.AMOUNT, surface, params, **both)
    ask(change)
    return change


def request_keep(subscription: Subscription, surface: str) -> SubscriptionChange:
    """Ask Stripe to go on after all: without the stop, or without the pause when nothing stops.

    Raises NothingToChange (neither, or over), StripeUnavailable, StripeRefused.
    """
    with _held(subscription):
        change = _open(subscription, Kind.KEEP)
        if change is None:
            params = change_params.without_stop(subscription) or change_params.without_pause(subscription)
            if not params or not subscription.is_alive:
                raise NothingToChange(subscription.stripe_subscription_id)
            change = _written(subscription, Kind.KEEP, surface, {**change_params.no_stop(subscription), **params})
    ask(change)
    return change


def write_down_stop(
    subscription: Subscription,
    surface: str,
    reason: str = "",
    words: str = "",
    actor: User | None = None,
    *,
    at_once: bool = False,
    public_id: uuid.UUID | None = None,
) -> SubscriptionChange:
    """The row of a wish, to be committed before Stripe is asked; the one still unanswered, if there is one.

    `at_once`: not at the end of the paid time, for one whose money goes back. `public_id` names the wish. From two tabs
    at the same moment: the second waits for the first one's row. Raises AlreadyStopped.
    """
    with _held(subscription):
        if open_one := _open(subscription, Kind.STOP):
            return open_one
        if subscription.is_ending_or_asked_to:
            raise AlreadyStopped(subscription.stripe_subscription_id)
        if reason == SubscriptionChange.Reason.MEANT_ONCE:
            _show_to_staff(subscription)
        told = {"words": words, "actor": actor, "at_once": at_once, "public_id": public_id or uuid.uuid4()}
        params = change_params.stop_params(subscription, at_once=at_once)
        return _written(subscription, Kind.STOP, surface, params, reason=reason, **told)


def ask(change: SubscriptionChange) -> None:
    """Ask Stripe for what is wanted, again if need be, and have the subscription read. Safe to call twice and at once.

    Wishes about one subscription go out one after another; one that a later wish has overtaken is not asked any more.
    Raises StripeUnavailable (stays open and is taken up again), StripeRefused.
    """
    subscription = Subscription.objects.get(pk=change.subscription_id)
    params = change_params.stop_params(subscription, at_once=change.at_once) if change.kind == Kind.STOP else None
    try:
        stripe_requests.ask(change, partial(_call, subscription), partial(_is_done, subscription, change), params)
    except StripeRefused:
        subscriptions.read_again(subscription)
        raise
    subscriptions.read_again(subscription)


def look_at_unseen(change: SubscriptionChange) -> None:
    """A wish that Stripe accepted and that no read has shown: one undone at Stripe since then does not stand any more.

    Otherwise nobody could ask for it again, as though it were still to come. Safe to call again. Never call it inside
    a transaction. Raises StripeUnavailable, StripeRefused.
    """
    agreed = client.read_subscription(change.subscription.stripe_subscription_id)
    if change.is_shown_by(agreed):
        subscriptions.read_again(change.subscription)
    else:
        SubscriptionChange.objects.filter(pk=change.pk, state=State.ACCEPTED).update(state=State.OVERTAKEN)


def current_state(subscription: Subscription) -> str:
    """over, stopping, paused or going: by what Stripe accepted last and has not shown yet, else by what it shows."""
    if not subscription.is_alive:
        return "over"
    if subscription.stops_by(State.ACCEPTED):
        return "stopping" if subscription.status in change_params.STOPS_AT_PERIOD_END else "over"
    return "paused" if subscription.pauses_by(State.ACCEPTED) else "going"


def can_pause(subscription: Subscription) -> bool:
    """A monthly gift that is paid. One behind with a payment would still be tried; a yearly one would skip a year."""
    if subscription.frequency != Frequency.MONTH or subscription.status not in change_params.STOPS_AT_PERIOD_END:
        return False
    return not subscription.pauses_by(*SubscriptionChange.UNSEEN)


def can_lower(subscription: Subscription, amount: int) -> bool:
    """Whether this amount, in minor units, is below what it has or was asked to have, and not below the least."""
    if not subscription.is_alive or amount >= asked_amount(subscription):
        return False
    try:
        money.check_limits(amount, subscription.currency, subscription.frequency)
    except (KeyError, money.AmountError):
        return False
    return True


def lower_amount(subscription: Subscription) -> int | None:
    """The one lower amount to offer, in minor units of its currency."""
    return suggestions.lower(asked_amount(subscription), subscription.currency, subscription.frequency)


def asked_amount(subscription: Subscription) -> int:
    waiting = subscription.changes.filter(kind=Kind.AMOUNT, state__in=SubscriptionChange.UNSEEN).first()
    return waiting.amount if waiting and waiting.amount else subscription.amount


def resumes_at() -> datetime:
    """When a pause that begins now ends: as its last day begins, so that a payment due on that day is taken whatever
    hour Stripe charges at.
    """
    day = next_on(Frequency.MONTH, clock.today(), times=PAUSE_MONTHS)
    assert day is not None  # noqa: S101 - a month has a next one
    return timezone.make_aware(datetime.combine(day, time.min))


@contextmanager
def _held(subscription: Subscription) -> Iterator[None]:
    """A wish is written down while nobody else writes one about the same supporter."""
    with transaction.atomic():
        Supporter.objects.select_for_update().get(pk=subscription.supporter_id)
        subscription.refresh_from_db()
        yield


def _open(subscription: Subscription, kind: SubscriptionChange.Kind, **facts: int) -> SubscriptionChange | None:
    return subscription.changes.filter(kind=kind, state=State.REQUESTED, **facts).first()


def _written(
    subscription: Subscription, kind: SubscriptionChange.Kind, surface: str, params: dict[str, Any], **told: Any
) -> SubscriptionChange:
    unanswered = subscription.changes.filter(kind__in=OVERTAKES[kind], state=State.REQUESTED)
    unanswered.update(state=State.OVERTAKEN)
    details = {"subscription": subscription.pk, "surface": surface, "reason": told.get("reason", "")}
    who, action = subscription.supporter, f"subscription.{kind}_requested"
    TimelineEntry.objects.create(supporter=who, action=action, actor=told.get("actor"), details=details)
    change: SubscriptionChange = subscription.changes.create(kind=kind, surface=surface, stripe_params=params, **told)
    return change


def _show_to_staff(subscription: Subscription) -> None:
    """They only meant to give once: a person decides whether the last payment goes back. Once a subscription."""
    last = subscription.payments.filter(status=Payment.Status.SUCCEEDED).order_by("-paid_at", "-pk").first()
    if last and last.paid_at and last.paid_at > clock.now() - OFFER_BACK_WITHIN and refund_requests.left(last):
        facts = {"subscription": subscription.pk, "payments": [last.pk]}
        key = f"subscription:{subscription.pk}:meant_once"
        cases.open_case(Case.Kind.MEANT_ONCE, key, subscription.supporter, facts)


def _call(subscription: Subscription, params: Mapping[str, Any], *, key: str) -> bool:
    call = client.update_subscription if params else client.cancel_subscription
    call(subscription.stripe_subscription_id, params, key=key)
    return True


def _is_done(subscription: Subscription, change: SubscriptionChange) -> bool | None:
    """Whether Stripe's object is as was asked for by now; None when it is not."""
    agreed = client.read_subscription(subscription.stripe_subscription_id)
    is_over = agreed.status not in Subscription.ALIVE
    ends_later = subscription.status in change_params.STOPS_AT_PERIOD_END
    return True if change.is_shown_by(agreed) and (is_over or ends_later or change.kind != Kind.STOP) else None
