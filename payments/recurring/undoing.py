"""Undoing a gift in one act: refund a payment, stop its subscription, or both; and close the case of a duplicate so.

Called by the desk's acts. All requests of an act are committed together before Stripe is called, so that a crash leaves
requests that will be retried (unanswered.py), never half of an act. Amounts are in minor units of the payment's
currency.
"""

from __future__ import annotations

import uuid

from django.contrib.auth.models import User
from django.db import transaction

from payments import cases
from payments.books import refund_limits, refund_requests
from payments.errors import (
    AlreadyStopped,
    NothingToRefund,
    OnlyStopped,
    RefundOutOfRange,
    RefundUnderWay,
    StripeRefused,
    StripeUnavailable,
)
from payments.models import Case, HeldRefund, Payment, RefundRequest, Subscription, SubscriptionChange
from payments.recurring import change_calls, changes, unanswered

# Stored on a stop request: where it was made.
SURFACE = "staff"
# The reason given to Stripe for a refund that closes a case; a duplicate unless the kind of the case is named here.
REASON_OF_CASE: dict[str, RefundRequest.Reason] = {
    Case.Kind.MEANT_ONCE: RefundRequest.Reason.REQUESTED,
    Case.Kind.FRAUD_WARNING: RefundRequest.Reason.FRAUDULENT,
}


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
    """Refund `amount` of a payment and, with `also_stops`, stop its subscription; return the refund request.

    The same `public_id` is the same act: a form sent twice refunds once. Never call it inside a transaction. If Stripe
    does not answer, the returned request is still `requested` and will be retried. Raises NothingToRefund,
    RefundOutOfRange, RefundUnderWay, StripeRefused (no money went back), OnlyStopped (no money went back, but the
    stop was requested).
    """
    with transaction.atomic():
        request = refund_requests.record(
            payment, amount, reason, actor, sentence, tells_supporter=tells_supporter, public_id=public_id
        )
        subscription = payment.subscription if also_stops else None
        change = _record_stop(subscription, actor, request.public_id) if subscription else None
    try:
        _ask(request, change)
    except StripeRefused as problem:
        raise refusal(request) from problem
    return request


def confirm_held(held: HeldRefund, actor: User) -> RefundRequest:
    """Confirm a refund that waits and ask Stripe for it; return the request. Never call it inside a transaction.

    Raises OwnRefund (two people are needed), AlreadyClosed, and what send_back raises; if Stripe was not asked
    it waits again.
    """
    refund_limits.claim(held, actor)
    try:
        return send_back(
            held.payment,
            held.amount,
            held.reason,
            held.asked_by,
            held.sentence,
            tells_supporter=held.tells_supporter,
            also_stops=held.also_stops,
            public_id=held.public_id,
        )
    except (NothingToRefund, RefundOutOfRange, RefundUnderWay):
        refund_limits.wait_again(held)
        raise


def refusal(request: RefundRequest) -> StripeRefused:
    """Return the error to raise for a refused refund: OnlyStopped if its stop was requested all the same.

    Otherwise StripeRefused. Raises nothing itself.
    """
    stop = SubscriptionChange.objects.filter(public_id=request.public_id).exclude(state=SubscriptionChange.State.FAILED)
    return OnlyStopped(request.error) if stop.exists() else StripeRefused(request.error)


def close_duplicate(
    case: Case,
    payment: Payment | None,
    subscription: Subscription | None,
    actor: User,
    note: str,
    sentence: str = "",
    public_id: uuid.UUID | None = None,
) -> RefundRequest | None:
    """Close a case by refunding what is left of a payment, stopping a subscription, or both.

    Returns the refund request, or None without a payment. A subscription whose newest payment is or was refunded ends
    immediately, because no paid time is left. Money of a second subscription that is with the bank is refunded when it
    arrives (books/ledger.py). Never call it inside a transaction. Raises AlreadyClosed (somebody was faster, nothing
    happens), NothingToRefund, RefundOutOfRange, RefundUnderWay, and StripeRefused: no money went back, and the refused
    refund is a case of its own.
    """
    request = change = None
    with transaction.atomic():
        cases.close(case, actor, note)
        if payment:
            amount = refund_requests.left(payment)
            reason = REASON_OF_CASE.get(case.kind, RefundRequest.Reason.DUPLICATE)
            request = refund_requests.record(payment, amount, reason, actor, sentence, public_id=public_id)
        if subscription:
            act_id = request.public_id if request else public_id
            at_once = payment is not None or _went_back(subscription)
            change = _record_stop(subscription, actor, act_id, at_once=at_once)
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
    """Return the newest payment of a subscription if something of it can be refunded, else None.

    Never an older payment: the supporter wanted that time, whatever happened to the newest payment.
    """
    newest = _newest(subscription)
    return newest if newest and refund_requests.left(newest) else None


def with_the_bank(subscription: Subscription) -> Payment | None:
    """Return a payment of the subscription whose money may still arrive, or None."""
    return subscription.payments.filter(status=Payment.Status.PROCESSING).first()


def _newest(subscription: Subscription) -> Payment | None:
    return subscription.payments.order_by("-created_at", "-pk").first()


def _went_back(subscription: Subscription) -> bool:
    """Return whether the newest payment was received through Stripe and nothing of it is left to refund."""
    newest = _newest(subscription)
    if newest is None or newest.status != Payment.Status.SUCCEEDED or newest.is_outside_stripe:
        return False
    return not refund_requests.left(newest)


def _record_stop(
    subscription: Subscription, actor: User, public_id: uuid.UUID | None, *, at_once: bool = False
) -> SubscriptionChange | None:
    """Return the stop request of this act, or a new or pending one; None if the subscription is stopped already.

    If `public_id` belongs to a stop of another subscription, a new request gets another id.
    """
    known = SubscriptionChange.objects.filter(public_id=public_id).first() if public_id else None
    if known and known.subscription_id == subscription.pk:
        return known
    try:
        unused_id = None if known else public_id
        return changes.record_stop(subscription, SURFACE, actor=actor, at_once=at_once, public_id=unused_id)
    except AlreadyStopped:
        return None


def _ask(request: RefundRequest | None, change: SubscriptionChange | None) -> None:
    """Send both requests to Stripe, the stop first. A refused stop opens a case, and the refund is sent all the same.

    Requests that Stripe does not answer stay open. Raises StripeRefused if Stripe refuses the refund.
    """
    if change:
        try:
            change_calls.ask(change)
        except StripeRefused as problem:
            unanswered.note_refused(change, problem)
        except StripeUnavailable:
            pass  # unanswered.py retries it
    if request:
        try:
            refund_requests.ask_refund(request)
        except StripeUnavailable:
            request.refresh_from_db()
