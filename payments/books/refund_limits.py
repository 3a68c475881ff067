"""Limits of refunds: how much somebody may send back alone, and refunds above it, which wait for a second colleague.

The limits are the settings REFUND_LIMIT_SUPPORT and REFUND_LIMIT_ALONE, in whole units of the first currency; in other
currencies as much more or less as the largest gifts are. They count all that went back of a payment, so that parts do
not get round them. Called by the desk's acts on payments, cases and held refunds.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from members import clock
from members.newsroom import values as newsroom
from payments import currencies, money
from payments.books import refund_requests
from payments.errors import AboveLimit, AlreadyClosed, NothingToRefund, OwnRefund, RefundOutOfRange, RefundUnderWay
from payments.models import HeldRefund, Payment, RefundRequest

WITHOUT_LIMIT = "payments.refund_without_limit"


def most_for(actor: User, payment: Payment) -> int:
    """Return how much more of a payment this user may ask to send back, in minor units of its currency."""
    left = refund_requests.left(payment)
    if actor.has_perm(WITHOUT_LIMIT) or not newsroom.number("REFUND_LIMIT_SUPPORT"):
        return left
    limit = _limit(newsroom.number("REFUND_LIMIT_SUPPORT"), payment.currency)
    return max(0, min(left, limit - _gone(payment)))


def needs_colleague(payment: Payment, amount: int) -> bool:
    """Return whether a second colleague has to confirm that this amount (minor units) goes back."""
    if not newsroom.number("REFUND_LIMIT_ALONE"):
        return False
    return _gone(payment) + amount > _limit(newsroom.number("REFUND_LIMIT_ALONE"), payment.currency)


def check_alone(actor: User, payment: Payment) -> None:
    """Raise AboveLimit if this user may not send back, alone and now, all that is left of a payment."""
    left = refund_requests.left(payment)
    if left > most_for(actor, payment) or needs_colleague(payment, left):
        raise AboveLimit(payment.pk)


@transaction.atomic
def hold(payment: Payment, amount: int, actor: User, public_id: uuid.UUID, **values: Any) -> HeldRefund:
    """Write down a refund that waits for a colleague; return it. The same `public_id` is the same refund.

    Raises NothingToRefund, RefundOutOfRange, RefundUnderWay (another one of this payment waits).
    """
    locked = Payment.objects.select_for_update().get(pk=payment.pk)
    known = HeldRefund.objects.filter(public_id=public_id, payment=locked).first()
    if known:
        return known
    left = refund_requests.left(locked)
    if not left:
        raise NothingToRefund(payment.pk)
    if not 1 <= amount <= left:
        raise RefundOutOfRange(left)
    if locked.held_refunds.filter(state=HeldRefund.State.WAITING).exists():
        raise RefundUnderWay(payment.pk)
    return HeldRefund.objects.create(payment=locked, amount=amount, asked_by=actor, public_id=public_id, **values)


def is_unfinished(held: HeldRefund) -> bool:
    """Return whether a refund was confirmed and its request never made, because a process ended in between."""
    is_confirmed = held.state == HeldRefund.State.CONFIRMED
    return is_confirmed and not RefundRequest.objects.filter(public_id=held.public_id).exists()


def claim(held: HeldRefund, actor: User) -> None:
    """Mark a refund that waits as confirmed, so that it is asked for once. Raises OwnRefund, AlreadyClosed."""
    _decide(held, actor, HeldRefund.State.CONFIRMED)


def wait_again(held: HeldRefund) -> None:
    """Let a confirmed refund wait again, because Stripe could not be asked for it."""
    HeldRefund.objects.filter(pk=held.pk).update(state=HeldRefund.State.WAITING, decided_by=None, decided_at=None)


def decline(held: HeldRefund, actor: User) -> None:
    """Decline a refund that waits; its own author may do so too. Raises AlreadyClosed."""
    _decide(held, actor, HeldRefund.State.DECLINED)


@transaction.atomic
def _decide(held: HeldRefund, actor: User, state: HeldRefund.State) -> None:
    row = HeldRefund.objects.select_for_update().get(pk=held.pk)
    is_confirming = state == HeldRefund.State.CONFIRMED
    if is_confirming and row.asked_by_id == actor.pk:
        raise OwnRefund(row.pk)
    if row.state != HeldRefund.State.WAITING and not (is_confirming and is_unfinished(row)):
        raise AlreadyClosed(row.pk)
    row.state, row.decided_by, row.decided_at = state, actor, clock.now()
    row.save(update_fields=["state", "decided_by", "decided_at"])


def _gone(payment: Payment) -> int:
    """Return how much of a payment went back, was taken back, or is on its way back, in minor units."""
    return payment.amount - refund_requests.left(payment)


def _limit(units: int, currency: str) -> int:
    """Return a limit of the settings in minor units of a currency."""
    first = currencies.TABLE[settings.CURRENCIES[0]]
    own = currencies.TABLE.get(currency, first)
    return money.from_major(units * own.maximum // first.maximum, currency)
