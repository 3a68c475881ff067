"""Undoing a gift in one act: money back and, where wanted, an end of the subscription; settling a duplicate that way.

Called by the staff's desk. What is wanted is committed as one before Stripe is asked, so that a crash leaves requests
that are taken up again (unanswered.py), never half of an act. Amounts are minor units of the payment's currency.
"""

from __future__ import annotations

import uuid

from django.contrib.auth.models import User
from django.db import transaction

from payments import cases
from payments.books import refund_requests
from payments.errors import AlreadyStopped, OnlyStopped, StripeRefused, StripeUnavailable
from payments.models import Case, Payment, RefundRequest, Subscription, SubscriptionChange
from payments.recurring import changes, unanswered

SURFACE = "staff"
REASON_OF_CASE: dict[str, RefundRequest.Reason] = {Case.Kind.MEANT_ONCE: RefundRequest.Reason.REQUESTED}


def send_back(
    payment: Payment,
    amount: int,
    reason: str,
    actor: User,
    sentence: str = "",
    *,
    tells_supporter: bool = True,
    also_stops: bool = False,
    public_id: uuid.UUID | None = None,
) -> RefundRequest:
    """Send this much of a payment back and, if wanted, stop its subscription. Never inside a transaction.

    The same `public_id` is the same act. A request that is still `requested` afterwards waits for Stripe and is taken
    up again. Raises NothingToRefund, RefundOutOfRange, RefundUnderWay, StripeRefused (no money went back), OnlyStopped.
    """
    with transaction.atomic():
        request = refund_requests.write_down(
            payment, amount, reason, actor, sentence, tells_supporter=tells_supporter, public_id=public_id
        )
        stops = payment.subscription if also_stops else None
        change = _stop_of(stops, actor, request.public_id) if stops else None
    try:
        _ask(request, change)
    except StripeRefused as problem:
        raise refusal(request) from problem
    return request


def refusal(request: RefundRequest) -> StripeRefused:
    """What the act of this refused request is told: whether the stop that was wanted with it was asked for."""
    stop = SubscriptionChange.objects.filter(public_id=request.public_id).exclude(state=SubscriptionChange.State.FAILED)
    return OnlyStopped(request.error) if stop.exists() else StripeRefused(request.error)


def settle_duplicate(
    case: Case,
    payment: Payment | None,
    subscription: Subscription | None,
    actor: User,
    note: str,
    sentence: str = "",
    public_id: uuid.UUID | None = None,
) -> RefundRequest | None:
    """Settle a case by stopping a subscription, refunding what is left of a payment, or both. Never in a transaction.
    A subscription whose money goes back, or went, ends at once: there is no paid time that it would have to last for.
    Money of a second subscription that is still with the bank goes back when it has come (ledger.py).

    Raises AlreadySettled when somebody was faster (then nothing happens), NothingToRefund, RefundUnderWay, and
    StripeRefused: no money went back, which is a case of its own then.
    """
    request = None
    with transaction.atomic():
        cases.settle(case, actor, note)
        if payment:
            amount, reason = (
                refund_requests.left(payment),
                REASON_OF_CASE.get(case.kind, RefundRequest.Reason.DUPLICATE),
            )
            request = refund_requests.write_down(payment, amount, reason, actor, sentence, public_id=public_id)
        change, wish = None, request.public_id if request else public_id
        if subscription:
            at_once = payment is not None or _went_back(subscription)
            change = _stop_of(subscription, actor, wish, at_once=at_once)
        if subscription and case.kind == Case.Kind.DUPLICATE_SUBSCRIPTION:
            subscription.payments.filter(status=Payment.Status.PROCESSING).update(goes_back=True)
    try:
        _ask(request, change)
    except StripeRefused as problem:
        if request:
            unanswered.note_refused(request, problem)
        raise
    return request


def last_refundable(subscription: Subscription) -> Payment | None:
    """The newest payment of a subscription, when it has come and something of it is left to send back. An older one is
    never taken in its place: that time was wanted, whatever became of the newest.
    """
    newest = _newest(subscription)
    return newest if newest and refund_requests.left(newest) else None


def with_the_bank(subscription: Subscription) -> Payment | None:
    """A payment of it whose money may still come, which is sent back then."""
    return subscription.payments.filter(status=Payment.Status.PROCESSING).first()


def _newest(subscription: Subscription) -> Payment | None:
    return subscription.payments.order_by("-created_at", "-pk").first()


def _went_back(subscription: Subscription) -> bool:
    """Whether nothing is left of the newest payment, which had come through Stripe."""
    newest = _newest(subscription)
    if newest is None or newest.status != Payment.Status.SUCCEEDED or newest.is_outside_stripe:
        return False
    return not refund_requests.left(newest)


def _stop_of(
    subscription: Subscription, actor: User, public_id: uuid.UUID | None, *, at_once: bool = False
) -> SubscriptionChange | None:
    """The committed wish to stop, the one there is of the same act; None when it is stopped already."""
    known = SubscriptionChange.objects.filter(public_id=public_id).first() if public_id else None
    if known and known.subscription_id == subscription.pk:
        return known
    try:
        fresh = None if known else public_id
        return changes.write_down_stop(subscription, SURFACE, actor=actor, at_once=at_once, public_id=fresh)
    except AlreadyStopped:
        return None


def _ask(request: RefundRequest | None, change: SubscriptionChange | None) -> None:
    """Ask for both, the stop first: a refund is asked also when the stop is refused, which is a case then."""
    if change:
        try:
            changes.ask(change)
        except StripeRefused as problem:
            unanswered.note_refused(change, problem)
        except StripeUnavailable:
            pass  # taken up again
    if request:
        try:
            refund_requests.ask_refund(request)
        except StripeUnavailable:
            request.refresh_from_db()
