"""Create the rows of a sample's supporter: what they gave. Only for a transaction that is rolled back (showing.py).

Functions that take `values` let them replace any field.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from members import clock
from members.models import Consent, Level, Membership, Supporter
from payments.desk.samples.people import SamplePerson
from payments.giving import references
from payments.models import Checkout, Dispute, Payment, Refund, Subscription

MONTH, YEAR = timedelta(days=30), timedelta(days=365)


@dataclass(frozen=True)
class Giver:
    """A sample person with their supporter row, and the language of the email."""

    person: SamplePerson
    supporter: Supporter
    language: str


def giver(person: SamplePerson, language: str) -> Giver:
    """Create a supporter with a random .invalid address; return them with the person and the language."""
    supporter = Supporter.objects.create(
        email=f"{new_id('reader')}@example.invalid", name=person.name, language=language, is_discreet=person.is_discreet
    )
    return Giver(person, supporter, language)


def checkout(who: Giver, frequency: str) -> Checkout:
    """Create a completed checkout that was begun a month ago."""
    consent = Consent.objects.create(
        purpose="gift", words="A sample.", words_version="0", language=who.language, surface="sample"
    )
    return Checkout.objects.create(
        supporter=who.supporter,
        consent=consent,
        status=Checkout.Status.COMPLETE,
        reference=references.new(),
        form_key=new_id("form"),
        frequency=frequency,
        amount=who.person.gives(frequency),
        currency=who.person.currency,
        email=who.supporter.email,
        name=who.person.name,
        language=who.language,
        created_at=clock.now() - MONTH,
    )


def subscription(who: Giver, frequency: str = "month", **values: Any) -> Subscription:
    """Create an active subscription with checkout and membership, begun a month ago, renewing in a month or a year."""
    period = MONTH if frequency == "month" else YEAR
    renews_on = values.setdefault("renews_on", clock.today() + period)
    values.setdefault("checkout", checkout(who, frequency))
    values.setdefault("membership", membership(who, renews_on))
    ordinary: dict[str, Any] = {
        "stripe_subscription_id": new_id("sub"),
        "stripe_customer_id": new_id("cus"),
        "status": "active",
        "frequency": frequency,
        "amount": who.person.gives(frequency),
        "currency": who.person.currency,
        "started_at": clock.now() - MONTH,
        "current_period_end": datetime.combine(renews_on, time(12), tzinfo=UTC),
        "method": who.person.method,
    }
    return Subscription.objects.create(supporter=who.supporter, **{**ordinary, **values})


def stopping(who: Giver) -> Subscription:
    """Create a monthly subscription that is set to stop at the end of its period."""
    return subscription(who, cancel_at_period_end=True, canceled_at=clock.now())


def paused(who: Giver, **values: Any) -> Subscription:
    """Create a monthly subscription that is paused for 90 days, with its next payment in 112 days."""
    until = {"resumes_at": clock.now() + timedelta(days=90), "renews_on": clock.today() + timedelta(days=112)}
    return subscription(who, collection_paused=True, **until | values)


def membership(who: Giver, paid_through: date) -> Membership:
    return Membership.objects.create(
        supporter=who.supporter,
        level=Level.objects.order_by("rank")[0],
        source=new_id("sample"),
        starts_on=clock.today() - MONTH,
        paid_through=paid_through,
        grace_through=paid_through + timedelta(days=14),
    )


def first(of: Subscription, **values: Any) -> Payment:
    """Create the first payment of a recurring gift, received today."""
    return _payment(of.supporter, of, **{"checkout": of.checkout, **values})


def renewal(of: Subscription, **values: Any) -> Payment:
    """Create a later payment of a recurring gift, received today."""
    return _payment(of.supporter, of, **values)


def failed(of: Subscription, code: str, next_try: timedelta | None = timedelta(days=3), **values: Any) -> Payment:
    """Create a renewal that failed with this code of the bank, to be retried after `next_try`; None: not retried."""
    next_attempt_at = clock.now() + next_try if next_try else None
    ordinary: dict[str, Any] = {"status": "failed", "failure_code": code, "failures": 1, "paid_at": None}
    return renewal(of, **{**ordinary, "next_attempt_at": next_attempt_at, **values})


def given_once(who: Giver, **values: Any) -> Payment:
    """Create a one-off gift with its checkout, received today."""
    amount = {"amount": who.person.once, "currency": who.person.currency, "method": who.person.method}
    return _payment(who.supporter, None, **{"checkout": checkout(who, "once"), "frequency": "once", **amount, **values})


def refund(of: Payment, amount: int) -> Refund:
    """Create a successful refund of `amount`, in minor units of the payment's currency."""
    return Refund.objects.create(
        payment=of,
        amount=amount,
        currency=of.currency,
        status="succeeded",
        stripe_refund_id=new_id("re"),
        created_at=clock.now(),
    )


def dispute(of: Payment) -> Dispute:
    """Create an open dispute, for which the bank has just taken back the whole payment."""
    return Dispute.objects.create(
        payment=of,
        stripe_dispute_id=new_id("du"),
        status="needs_response",
        reason="fraudulent",
        amount=of.amount,
        currency=of.currency,
        withdrawn_amount=of.amount,
        created_at=clock.now(),
    )


def _payment(supporter: Supporter, subscription: Subscription | None, **values: Any) -> Payment:
    ordinary: dict[str, Any] = {
        "status": "succeeded",
        "created_at": clock.now(),
        "stripe_payment_intent_id": new_id("pi"),
        "stripe_charge_id": new_id("ch"),
        "paid_at": clock.now() if values.get("status") is None else None,
    }
    if subscription:
        ordinary |= {name: getattr(subscription, name) for name in ("frequency", "amount", "currency", "method")}
        ordinary["paid_through"] = subscription.renews_on
    return Payment.objects.create(supporter=supporter, subscription=subscription, **{**ordinary, **values})


def new_id(prefix: str) -> str:
    return f"{prefix}_sample{secrets.token_hex(8)}"
