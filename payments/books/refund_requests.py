"""Sending money back: how much may be, and asking Stripe for it exactly once. What came of it is in refunds.py.

Called by the staff's desk (request_refund), by the ledger when money came after a stop (look_at_instalment), and for
requests left unanswered (ask_refund). Amounts are minor units of the payment's currency.
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
    """What can still be sent back: received, less refunds, disputes, and requests that Stripe has not shown yet.
    Nothing of what came outside Stripe.
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
    """Ask Stripe to send this much of a payment back. The refund itself arrives as Stripe's event, and is told then.

    The same `public_id` is the same request: a form sent twice sends money back once. Raises NothingToRefund,
    RefundOutOfRange, RefundUnderWay, StripeUnavailable (written down, taken up again), StripeRefused (nothing was
    sent back). Never call it inside a transaction.
    """
    request = write_down(payment, amount, reason, actor, sentence, tells_supporter=tells_supporter, public_id=public_id)
    ask_refund(request)
    return request


@transaction.atomic
def write_down(
    payment: Payment,
    amount: int,
    reason: str,
    actor: User | None,
    sentence: str = "",
    *,
    tells_supporter: bool = True,
    public_id: uuid.UUID | None = None,
) -> RefundRequest:
    """The row of a wish, to be committed before Stripe is asked; the one that is there when it was sent before.

    Raises NothingToRefund, RefundOutOfRange, RefundUnderWay.
    """
    Supporter.objects.select_for_update().get(pk=payment.supporter_id)
    held = Payment.objects.select_for_update().get(pk=payment.pk)
    known = RefundRequest.objects.filter(public_id=public_id).first() if public_id else None
    if known and known.payment_id == held.pk:
        return known
    _check(held, amount)
    fresh = uuid.uuid4() if known or public_id is None else public_id
    return _made(
        held,
        fresh,
        amount=amount,
        reason=RefundRequest.Reason(reason),
        actor=actor,
        sentence=sentence,
        tells_supporter=tells_supporter,
    )


def ask_refund(request: RefundRequest) -> None:
    """Ask Stripe, again if need be. Safe to call twice and at once. Raises StripeUnavailable, StripeRefused."""
    refund = stripe_requests.ask(request, client.create_refund, partial(_find_at_stripe, request))
    if refund:
        RefundRequest.objects.filter(pk=request.pk).update(stripe_refund_id=refund.id)
        request.stripe_refund_id = refund.id
        read_again(request)


def read_again(request: RefundRequest) -> None:
    """Have the refund that answers a request read from Stripe, through the queue of the events."""
    if request.stripe_refund_id:
        queue.request_sync("refund", request.stripe_refund_id, request.payment.stripe_customer_id)


def tie(row: Refund, refund: objects.Refund) -> RefundRequest | None:
    """The request of ours that a refund answers, seen now; None for one made at Stripe. Within the event's transaction.

    Safe to call again: what was seen stays seen.
    """
    public_id = public_ids.parse(refund.request)
    request = row.payment.refund_requests.filter(public_id=public_id).first() if public_id else None
    if request and request.state != State.SEEN:
        request.state, request.error, request.stripe_refund_id = State.SEEN, "", refund.id
        request.save(update_fields=["state", "error", "stripe_refund_id"])
    return request


def look_at_instalment(payment: Payment, subscription: Subscription, charged_at: datetime) -> RefundRequest | None:
    """Owe a renewal back that was charged after its supporter asked us to stop; None when it was not, or not by Stripe.

    Called in the transaction that records the money; asked by unanswered.py. Once a payment, however often it is told.
    """
    asked = subscription.changes.filter(kind=SubscriptionChange.Kind.STOP)
    stop = asked.exclude(state__in=RefundRequest.GIVEN_UP).first()
    if stop is None or charged_at < stop.requested_at.replace(microsecond=0):  # Stripe counts in whole seconds
        return None
    was_undone = stop.state == State.SEEN and not subscription.is_ending_or_asked_to
    if was_undone or payment.is_outside_stripe or payment.refund_requests.exists():
        return None
    with override(payment.supporter.language):
        sentence = _("You had asked us to stop before this payment was taken, so all of it goes back to you.")
    return _made(payment, uuid.uuid4(), amount=payment.amount, reason=RefundRequest.Reason.REQUESTED, sentence=sentence)


def send_back_on_arrival(payment: Payment) -> RefundRequest | None:
    """Owe a payment back that staff gave up while its money was with the bank; in the transaction that records it."""
    if not payment.goes_back or payment.is_outside_stripe or payment.refund_requests.exists():
        return None
    return _made(payment, uuid.uuid4(), amount=payment.amount, reason=RefundRequest.Reason.DUPLICATE)


def _check(payment: Payment, amount: int) -> None:
    if payment.refund_requests.filter(state=State.REQUESTED).exists():
        raise RefundUnderWay(payment.pk)
    possible = left(payment)
    if possible == 0:
        raise NothingToRefund(payment.pk)
    if not 1 <= amount <= possible:
        raise RefundOutOfRange(possible)


def _made(payment: Payment, public_id: uuid.UUID, **wish: Any) -> RefundRequest:
    request = RefundRequest(payment=payment, public_id=public_id, **wish)
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
    """The payment as Stripe is told it."""
    if payment.stripe_payment_intent_id:
        return {"payment_intent": payment.stripe_payment_intent_id}
    if payment.stripe_charge_id:
        return {"charge": payment.stripe_charge_id}
    raise NothingToRefund(payment.pk)


def _find_at_stripe(request: RefundRequest) -> objects.Refund | None:
    made = client.refunds_of(_source(request.payment))
    return next((refund for refund in made if refund.request == str(request.public_id)), None)
