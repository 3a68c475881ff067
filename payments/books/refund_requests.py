"""Requests to send money back: how much can be refunded, and asking Stripe for a refund exactly once.

Each request is a row, committed before Stripe is asked. Called by the desk's acts, through recurring/undoing.py
(record, ask_refund), by instalments.py and ledger.py for money that must go back (refund_if_unwanted,
send_back_on_arrival), and by recurring/unanswered.py, which retries. Stripe's refunds themselves are in refunds.py.
Amounts are in minor units of the payment's currency.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import override

from members.links import public_ids
from members.models import Supporter, TimelineEntry
from payments import stripe_requests
from payments.errors import NothingToRefund, RefundOutOfRange, RefundUnderWay
from payments.inbox import queue
from payments.models import Payment, Refund, RefundRequest, Subscription, SubscriptionChange
from payments.stripe_api import client, objects

State = RefundRequest.State


def left(payment: Payment) -> int:
    """Return how much of a payment can still be refunded, in minor units of its currency.

    That is the received amount less refunds, disputes, and requests whose refund Stripe has not reported yet; 0 if the
    money has not arrived or came outside Stripe.
    """
    if payment.status != Payment.Status.SUCCEEDED or payment.is_outside_stripe:
        return 0
    waiting = payment.refund_requests.filter(state__in=RefundRequest.UNSEEN).aggregate(sum=Sum("amount"))["sum"] or 0
    return max(0, payment.amount - payment.refunded_amount - payment.disputed_amount - waiting)


def request_refund(
    payment: Payment,
    amount: int,
    reason: str,
    actor: User | None,
    sentence: str = "",
    *,
    tells_supporter: bool = True,
    public_id: uuid.UUID | None = None,
) -> RefundRequest:
    """Ask Stripe to refund this much of a payment; return the request.

    The refund arrives as Stripe's event, and the supporter is emailed then. The same `public_id` is the same request,
    so a form sent twice refunds once. Never call it inside a transaction. Raises NothingToRefund, RefundOutOfRange,
    RefundUnderWay, StripeUnavailable (the request is stored and will be retried), StripeRefused (no money went back).
    """
    request = record(payment, amount, reason, actor, sentence, tells_supporter=tells_supporter, public_id=public_id)
    ask_refund(request)
    return request


@transaction.atomic
def record(
    payment: Payment,
    amount: int,
    reason: str,
    actor: User | None,
    sentence: str = "",
    *,
    tells_supporter: bool = True,
    public_id: uuid.UUID | None = None,
) -> RefundRequest:
    """Return the refund request with this `public_id`, creating it if there is none. Commit it before asking Stripe.

    Without a `public_id`, or with one that belongs to another payment, a new request gets a new id. Locks the
    supporter's and the payment's row. Raises NothingToRefund, RefundOutOfRange, RefundUnderWay.
    """
    Supporter.objects.select_for_update().get(pk=payment.supporter_id)
    locked = Payment.objects.select_for_update().get(pk=payment.pk)
    known = RefundRequest.objects.filter(public_id=public_id).first() if public_id else None
    if known and known.payment_id == locked.pk:
        return known
    _check(locked, amount)
    new_id = uuid.uuid4() if known or public_id is None else public_id
    return _create(
        locked,
        new_id,
        amount=amount,
        reason=RefundRequest.Reason(reason),
        actor=actor,
        sentence=sentence,
        tells_supporter=tells_supporter,
    )


def ask_refund(request: RefundRequest) -> None:
    """Ask Stripe for the refund, or ask again; once Stripe accepts, store its id and queue a read of it.

    Idempotent; safe to call concurrently. Never call it inside a transaction. Raises StripeUnavailable (the request
    stays open and will be retried) and StripeRefused.
    """
    refund = stripe_requests.ask(request, client.create_refund, partial(_find_at_stripe, request))
    if refund:
        RefundRequest.objects.filter(pk=request.pk).update(stripe_refund_id=refund.id)
        request.stripe_refund_id = refund.id
        read_again(request)


def read_again(request: RefundRequest) -> None:
    """Queue a read of the request's refund from Stripe; do nothing while Stripe's id of it is unknown."""
    if request.stripe_refund_id:
        queue.request_sync("refund", request.stripe_refund_id, request.payment.stripe_customer_id)


def note_answer(row: Refund, refund: objects.Refund) -> RefundRequest | None:
    """Return our request that led to this refund and mark it as seen; return None for a refund made at Stripe.

    Called inside the transaction of the refund's event. Idempotent.
    """
    public_id = public_ids.parse(refund.request)
    request = row.payment.refund_requests.filter(public_id=public_id).first() if public_id else None
    if request and request.state != State.SEEN:
        request.state = State.SEEN
        request.error = ""
        request.stripe_refund_id = refund.id
        request.save(update_fields=["state", "error", "stripe_refund_id"])
    return request


def refund_if_unwanted(payment: Payment, subscription: Subscription, charged_at: datetime) -> RefundRequest | None:
    """Create a request to refund a renewal charged after the supporter asked us to stop; return it, or None.

    Returns None if nobody had asked to stop before `charged_at`, if the stop was undone since, if the payment came
    outside Stripe, or if it has a refund request. So there is at most one per payment. Called inside the transaction
    that records the money; recurring/unanswered.py sends the request to Stripe.
    """
    asked = subscription.changes.filter(kind=SubscriptionChange.Kind.STOP)
    stop = asked.exclude(state__in=RefundRequest.GIVEN_UP).first()
    if stop is None or not is_after(stop, charged_at):
        return None
    was_undone = stop.state == State.SEEN and not subscription.is_ending_or_asked_to
    if was_undone or payment.is_outside_stripe or payment.refund_requests.exists():
        return None
    with override(payment.supporter.language):
        sentence = _("You had asked us to stop before this payment was taken, so all of it goes back to you.")
    reason = RefundRequest.Reason.REQUESTED
    return _create(payment, uuid.uuid4(), amount=payment.amount, reason=reason, sentence=sentence)


def is_after(stop: SubscriptionChange, charged_at: datetime) -> bool:
    """Return whether a payment was charged after this stop was asked for. Stripe counts in whole seconds."""
    return charged_at >= stop.requested_at.replace(microsecond=0)


def send_back_on_arrival(payment: Payment) -> RefundRequest | None:
    """Create a request to refund a payment that staff gave up while its money was with the bank.

    Returns it, or None if staff did not, if the payment came outside Stripe, or if it has a refund request. Called
    inside the transaction that records the money; recurring/unanswered.py sends the request to Stripe.
    """
    if not payment.goes_back or payment.is_outside_stripe or payment.refund_requests.exists():
        return None
    return _create(payment, uuid.uuid4(), amount=payment.amount, reason=RefundRequest.Reason.DUPLICATE)


def _check(payment: Payment, amount: int) -> None:
    if payment.refund_requests.filter(state=State.REQUESTED).exists():
        raise RefundUnderWay(payment.pk)
    possible = left(payment)
    if possible == 0:
        raise NothingToRefund(payment.pk)
    if not 1 <= amount <= possible:
        raise RefundOutOfRange(possible)


def _create(payment: Payment, public_id: uuid.UUID, **values: Any) -> RefundRequest:
    request = RefundRequest(payment=payment, public_id=public_id, **values)
    metadata = {objects.METADATA_REFUND_REQUEST: str(public_id)}
    reason = str(request.reason)
    request.stripe_params = {**_source(payment), "amount": request.amount, "reason": reason, "metadata": metadata}
    request.save(force_insert=True)
    details = {"payment": payment.pk, "amount": request.amount, "currency": payment.currency, "reason": reason}
    TimelineEntry.objects.create(
        supporter_id=payment.supporter_id, action="payment.refund_requested", actor=request.actor, details=details
    )
    return request


def _source(payment: Payment) -> dict[str, str]:
    """Return the Stripe parameters that name the payment. Raises NothingToRefund if Stripe knows neither id."""
    if payment.stripe_payment_intent_id:
        return {"payment_intent": payment.stripe_payment_intent_id}
    if payment.stripe_charge_id:
        return {"charge": payment.stripe_charge_id}
    raise NothingToRefund(payment.pk)


def _find_at_stripe(request: RefundRequest) -> objects.Refund | None:
    refunds = client.refunds_of(_source(request.payment))
    return next((refund for refund in refunds if refund.request == str(request.public_id)), None)
