"""What a subscription's payments say of its membership: the floor below is told days and amounts, never a payment.

Called where a payment was received (ledger.py) and where money went back or returned (refunds.py), with the
supporter's row locked.
"""

from __future__ import annotations

from datetime import date

from django.db.models import F, QuerySet

from members import clock
from members.belonging import memberships
from payments import money
from payments.models import Payment, Subscription


def renew(payment: Payment, subscription: Subscription) -> None:
    """Belonging begins or goes on by a payment that was received. Safe to call again."""
    _go_on(subscription, _first_day(payment), _paid(payment))


def credit(subscription: Subscription, first_day: date, through: date) -> None:
    """The same by a period for which nothing was taken: Stripe paid it from the customer's credit there, or staff
    forgave it. There is no payment, so the subscription keeps its last day. Safe to call again, and in any order.
    """
    known = subscription.credited_through or first_day
    subscription.credited_through = max(known, first_day, through)
    subscription.save(update_fields=["credited_through"])
    _go_on(subscription, first_day, _credited(subscription.credited_through, subscription))


def _go_on(subscription: Subscription, first_day: date, paid: memberships.Paid) -> None:
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


def count_again(subscription: Subscription) -> None:
    """Take away the days of money that went back, where the level says so, or give them again. Safe to call again."""
    if subscription.membership:
        paid = [_paid(payment) for payment in _received(subscription)]
        if subscription.credited_through:
            paid.append(_credited(subscription.credited_through, subscription))
        memberships.count_again(subscription.membership, paid)
        _end(subscription)


def _received(subscription: Subscription) -> QuerySet[Payment]:
    return subscription.payments.filter(status=Payment.Status.SUCCEEDED)


def _first_day(payment: Payment) -> date:
    assert payment.paid_at is not None  # noqa: S101 - received
    return clock.day_of(payment.paid_at)


def _paid(payment: Payment) -> memberships.Paid:
    first_day = _first_day(payment)
    return memberships.Paid(
        paid_through=max(payment.paid_through or first_day, first_day),
        monthly_amount=money.monthly(payment.amount, payment.frequency),
        currency=payment.currency,
        has_gone_back=payment.refunded_amount + payment.disputed_amount >= payment.amount,
    )


def _credited(through: date, subscription: Subscription) -> memberships.Paid:
    monthly = money.monthly(subscription.amount, subscription.frequency)
    return memberships.Paid(through, monthly, subscription.currency, has_gone_back=False)


def _end(subscription: Subscription) -> None:
    if subscription.membership and subscription.ended_at:
        memberships.end(subscription.membership, clock.day_of(subscription.ended_at))
