"""The days of membership that a subscription's payments pay for.

Translates payments into days and amounts for members/belonging/memberships.py, which knows no payments. Called when an
instalment was received (instalments.py), when a billing day was moved (recurring/subscriptions.py) and when money was
sent back, taken back or returned (refunds.py), with the supporter's row locked.
"""

from __future__ import annotations

from datetime import date

from django.db.models import F, QuerySet

from members import clock
from members.belonging import memberships
from payments import money
from payments.models import Frequency, Payment, Subscription


def renew(payment: Payment, subscription: Subscription) -> None:
    """Begin or extend the subscription's membership by a received payment. Idempotent, in any order."""
    _extend(subscription, _first_day(payment), _paid(payment))


def credit(subscription: Subscription, first_day: date, through: date) -> None:
    """Begin or extend the membership by a period that cost nothing, from `first_day` through `through`.

    Stripe paid its invoice from the customer's credit, or staff forgave it or moved the billing day. As there is no
    payment to count from, the last such day is stored on the subscription. Idempotent, in any order.
    """
    known = subscription.credited_through or first_day
    subscription.credited_through = max(known, first_day, through)
    subscription.save(update_fields=["credited_through"])
    _extend(subscription, first_day, _credited(subscription.credited_through, subscription))


def leave_unbilled(subscription: Subscription) -> None:
    """Extend the membership through a time that staff left unbilled: its billing day was moved to a later one.

    Such a subscription is `trialing` until then. Does nothing for one that was never paid. Idempotent, in any order.
    https://docs.stripe.com/billing/subscriptions/billing-cycle
    """
    through = clock.day_of(subscription.current_period_end)
    known = subscription.membership
    if known and subscription.status == Subscription.Status.TRIALING and through > known.paid_through:
        credit(subscription, known.paid_through, through)


def count_again(subscription: Subscription) -> None:
    """Recount the membership's days from all payments of the subscription; do nothing if it has no membership.

    Removes the days of fully refunded or disputed payments where the level says so, and restores them if the money
    returns. Idempotent.
    """
    if subscription.membership:
        paid = [_paid(payment) for payment in _received(subscription)]
        if subscription.credited_through:
            paid.append(_credited(subscription.credited_through, subscription))
        memberships.count_again(subscription.membership, paid)
        _end(subscription)


def _extend(subscription: Subscription, first_day: date, paid: memberships.Paid) -> None:
    subscription.membership = memberships.renew(
        supporter=subscription.supporter,
        source=f"subscription:{subscription.public_id}",
        starts_on=first_day,
        paid_through=paid.paid_through,
        monthly_amount=paid.monthly_amount,
        currency=paid.currency,
    )
    subscription.save(update_fields=["membership"])
    if _received(subscription).filter(amount__lte=F("refunded_amount") + F("disputed_amount")).exists():
        count_again(subscription)
    else:
        _end(subscription)


def _received(subscription: Subscription) -> QuerySet[Payment]:
    """Return what was received for it, without parts of an invoice that is still open: they pay for no time yet."""
    received = subscription.payments.filter(status=Payment.Status.SUCCEEDED)
    return received.exclude(stripe_invoice_id=None, paid_through=None)


def _first_day(payment: Payment) -> date:
    assert payment.paid_at is not None  # noqa: S101 - received
    return clock.day_of(payment.paid_at)


def _paid(payment: Payment) -> memberships.Paid:
    """Return the days that a received payment pays for: at least the day on which it was received."""
    first_day = _first_day(payment)
    return memberships.Paid(
        paid_through=max(payment.paid_through or first_day, first_day),
        monthly_amount=_monthly_of(payment),
        currency=payment.currency,
        has_gone_back=payment.refunded_amount + payment.disputed_amount >= payment.amount,
    )


def _credited(through: date, subscription: Subscription) -> memberships.Paid:
    return memberships.Paid(through, _monthly_now(subscription), subscription.currency, has_gone_back=False)


def _monthly_of(payment: Payment) -> int:
    """Return what a payment's invoice billed per month, in minor units; without a price on it, what the gift costs."""
    if payment.monthly_amount:
        return payment.monthly_amount
    if payment.monthly_amount is None and payment.frequency != Frequency.OTHER:
        return money.monthly(payment.amount, payment.frequency)
    return _monthly_now(payment.subscription) if payment.subscription else 0


def _monthly_now(subscription: Subscription) -> int:
    """Return what a gift costs per month, in minor units; if no sum can be named, what was billed last.

    So that a price which Stripe works out only at the next billing takes nobody's level away.
    """
    if subscription.monthly_amount:
        return subscription.monthly_amount
    billed = _received(subscription).filter(monthly_amount__gt=0).order_by("-paid_at", "-pk")
    return billed.values_list("monthly_amount", flat=True).first() or 0


def _end(subscription: Subscription) -> None:
    """End the membership if the subscription has ended; renewing or recounting may have moved its end."""
    if subscription.membership and subscription.ended_at:
        memberships.end(subscription.membership, clock.day_of(subscription.ended_at))
