"""Rows of gifts for the tests of emails: a recurring gift, its payments, and a one-off gift."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from members import clock
from members.models import Supporter
from payments.models import Payment, Subscription
from tests import factories


def agreed(who: Supporter, frequency: str = "month", **values: Any) -> Subscription:
    checkout = factories.checkout(who, frequency=frequency, language=values.pop("language", "en"))
    renews_on = values.pop("renews_on", clock.today() + timedelta(days=30))
    return factories.subscription(who, checkout=checkout, frequency=frequency, renews_on=renews_on, **values)


def first(of: Subscription, **values: Any) -> Payment:
    ordinary = {"checkout": of.checkout, "frequency": of.frequency, "paid_through": of.renews_on}
    return factories.payment(of.supporter, subscription=of, **{**ordinary, **values})


def renewal(of: Subscription, **values: Any) -> Payment:
    return first(of, **{"checkout": None, **values})


def failed(of: Subscription, **values: Any) -> Payment:
    ordinary = {"status": "failed", "failure_code": "insufficient_funds", "failing_since": clock.now()}
    return renewal(of, **{**ordinary, "next_attempt_at": clock.now() + timedelta(days=3), **values})


def given_once(who: Supporter, **values: Any) -> Payment:
    checkout = factories.checkout(who, frequency="once", amount=2500, language=values.pop("language", "en"))
    return factories.payment(who, checkout=checkout, amount=2500, **values)
