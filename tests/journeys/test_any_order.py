"""One life of gifts, delivered in many orders with repeats: the books and the memberships are always the same."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from members.models import Membership
from payments.models import LedgerEntry, Payment, Subscription
from tests.stage import Stage, shuffled

ORDERS = 25


def live(stage: Stage) -> list[dict[str, Any]]:
    """Some months at Stripe of which we hear nothing yet: a monthly gift that fails and recovers, a debit, refunds."""
    monthly = stage.give("month", amount="10")
    stage.pay(monthly, card="4000000000000341")
    once = stage.give("once", amount="25", email="once@example.org")
    stage.pay(once)
    debit = stage.give("month", amount="20", currency="USD", email="debit@example.org")
    stage.pay(debit, iban="DE89370400440532013000")
    failing = stage.give("once", amount="30", email="failing@example.org")
    stage.pay(failing, iban="DE62370400440532013001")
    stage.stripe.advance(days=33)
    customer = stage.stripe.get(stage.stripe.get(monthly.stripe_session_id)["subscription"])["customer"]
    stage.stripe.set_payment_method(customer, "4242424242424242", retry_now=True)
    stage.stripe.advance(days=35)
    refund = stage.stripe.refund(once.stripe_session_id, 1000)
    stage.stripe.fail_refund(refund["id"])
    stage.stripe.refund(once.stripe_session_id, 700)
    stage.stripe.cancel(stage.stripe.get(debit.stripe_session_id)["subscription"], at_period_end=True)
    stage.stripe.advance(days=40)
    return stage.stripe.outbox()


def facts(stage: Stage) -> dict[str, Any]:
    """The books, and every fact of money and membership without the order of its arrival."""
    return {
        "books": stage.books(),
        "payments": sorted(
            Payment.objects.values_list("stripe_payment_intent_id", "status", "amount", "refunded_amount", "method")
        ),
        "ledger": sorted(LedgerEntry.objects.values_list("source", "kind", "amount", "settled_amount", "fee")),
        "subscriptions": sorted(Subscription.objects.values_list("stripe_subscription_id", "status", "renews_on")),
        "memberships": sorted(Membership.objects.values_list("level__slug", "starts_on", "paid_through", "ended_on")),
    }


def told(stage: Stage, events: list[dict[str, Any]], *, one_by_one: bool) -> dict[str, Any]:
    """What we make of these events in this order; undone afterwards."""
    with transaction.atomic():
        for event in events:
            assert stage.post(event) == 200
            if one_by_one:
                stage.work()
        stage.work()
        found = facts(stage)
        transaction.set_rollback(True)
    return found


def test_one_life_in_many_orders_gives_the_same_books(stage: Stage) -> None:
    events = live(stage)
    assert len(events) > 50
    expected = told(stage, events, one_by_one=False)
    assert expected["books"]["broken"] == []
    assert expected["books"]["currencies"]["EUR"]["payments"] >= 4
    assert {status for _, status, *_ in expected["payments"]} == {"succeeded", "failed"}
    for seed in range(ORDERS):
        assert told(stage, shuffled(events, seed), one_by_one=False) == expected, f"order {seed}"
    assert told(stage, list(reversed(events)), one_by_one=True) == expected
