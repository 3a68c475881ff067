"""A backup is restored: what was given since it was made comes back, from Stripe, when staff say so."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from payments.alerts import looks
from payments.inbox import replay
from payments.models import Checkout, Difference, Payment, StripeEvent, Subscription
from payments.reconciling import differences, missed_events
from tests import factories
from tests.payments.reconciling.setting import compare, found
from tests.stage import Stage


def lose(stage: Stage) -> dict[str, Any]:
    """Two gifts and a refund that are in no backup; returns the books as they were. Stripe keeps everything."""
    with transaction.atomic():
        stage.join("once", amount="25", email="once@example.org")
        stage.join("month", amount="10", email="month@example.org")
        stage.stripe.refund(Payment.objects.get(frequency="once").stripe_payment_intent_id, 700)
        stage.settle_down()
        was = stage.books()
        transaction.set_rollback(True)
    assert not Payment.objects.filter(frequency="once").exists()
    return was


def take_all(stage: Stage) -> None:
    marta = factories.staff()
    for row in Difference.objects.filter(state="open"):
        if differences.can_take(row):
            differences.take(row, marta)
    stage.work()


def test_gifts_begun_after_the_dump_are_brought_back(stage: Stage) -> None:
    stage.join("month", amount="5", email="before@example.org")
    was = lose(stage)
    missed_events.collect()
    stage.work()
    assert Payment.objects.count() == 1
    parked = StripeEvent.objects.filter(state="parked")
    assert {"payment_intent.succeeded", "checkout.session.completed", "invoice.paid"} <= set(
        parked.values_list("type", flat=True)
    )
    assert looks.gifts_unknown() is not None
    assert replay.workable(parked).count() == parked.count()

    # A subscription, two payments, a refund, three lines of the balance.
    assert compare(stage).found == 7
    assert ("payment", "missing", "", "2500 EUR") in found()
    take_all(stage)
    assert stage.books() == was
    once = Checkout.objects.get(email="once@example.org")
    assert (once.amount, once.currency, once.frequency, once.status) == (2500, "EUR", "once", "complete")
    assert Checkout.objects.get(email="month@example.org").subscription == Subscription.objects.latest("pk")
    assert not StripeEvent.objects.filter(state="parked").exists()
    assert looks.gifts_unknown() is None
    assert compare(stage).found == 0


def test_one_that_led_to_no_money_is_not_waited_for(stage: Stage) -> None:
    with transaction.atomic():
        left = stage.give("once")
        declined = stage.give("month", email="declined@example.org")
        assert stage.pay(declined, card="4000000000000002") == "failed"
        transaction.set_rollback(True)
    stage.stripe.advance(days=2)
    stage.settle_down()
    assert StripeEvent.objects.filter(type="checkout.session.expired").count() == 2, left
    assert not StripeEvent.objects.filter(state__in=["parked", "failed"]).exists()
    assert compare(stage).found == 0


@pytest.mark.parametrize("name", ["", "nonsense"])
def test_what_bears_no_name_of_ours_stays_foreign(stage: Stage, name: str) -> None:
    stage.pay(stage.give("once"))
    for event in stage.stripe.outbox():
        if "metadata" in event["data"]["object"] and event["type"] == "payment_intent.succeeded":
            event["data"]["object"]["metadata"] = {"hromada_checkout": name} if name else {"checkout": "of a shop"}
            stage.post(event)
    stage.work()
    assert not Payment.objects.exists()
    assert looks.gifts_unknown() is None
