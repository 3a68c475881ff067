"""Refunds made in Stripe's dashboard: in parts, in full, failed; and told in any order."""

from __future__ import annotations

from payments.models import LedgerEntry, Payment, Refund
from tests.stage import Stage


def euro(stage: Stage) -> dict[str, int]:
    return stage.books()["currencies"]["EUR"]


def test_partial_then_full(stage: Stage) -> None:
    stage.join("once", amount="25")
    payment = Payment.objects.get()
    stage.stripe.refund(payment.stripe_payment_intent_id, 1000)
    stage.settle_down()
    payment.refresh_from_db()
    assert (payment.refunded_amount, payment.is_fully_refunded) == (1000, False)

    stage.stripe.refund(payment.stripe_payment_intent_id)
    stage.settle_down()
    payment.refresh_from_db()
    assert payment.is_fully_refunded
    assert (euro(stage)["gross"], euro(stage)["refunds"]) == (2500, 2500)
    assert stage.books()["broken"] == []


def test_a_refund_that_fails_gives_the_money_back_in_a_line_of_its_own(stage: Stage) -> None:
    stage.join("once", amount="25")
    payment = Payment.objects.get()
    refund = stage.stripe.refund(payment.stripe_payment_intent_id, 1000)
    stage.settle_down()
    stage.stripe.fail_refund(refund["id"])
    stage.settle_down()
    payment.refresh_from_db()
    assert Refund.objects.get().status == "failed"
    assert payment.refunded_amount == 0
    lines = list(LedgerEntry.objects.exclude(kind="settlement").order_by("pk").values_list("kind", "amount"))
    assert lines == [("charge", 2500), ("refund", -1000), ("refund_returned", 1000)]
    assert euro(stage)["refunds"] == 0
    assert stage.books()["broken"] == []


def test_a_refund_told_before_its_payment_finds_it(stage: Stage) -> None:
    for frequency in ("once", "month"):
        checkout = stage.give(frequency, amount="25", email=f"{frequency}@example.org")
        stage.pay(checkout)
    intents = [event["data"]["object"]["payment_intent"] for event in stage.stripe.events("charge.succeeded")]
    for intent in intents:
        stage.stripe.refund(intent, 500)
    events = stage.stripe.outbox()
    refunds = [event for event in events if event["type"].startswith("refund.")]
    assert set(stage.stripe.deliver(refunds)) == {200}
    stage.work()
    assert sorted(Payment.objects.values_list("refunded_amount", flat=True)) == [500, 500]
    stage.settle_down()
    assert sorted(Payment.objects.values_list("amount", "refunded_amount")) == [(2500, 500), (2500, 500)]
    assert stage.books()["broken"] == []


def test_our_lines_equal_stripe_s_balance(stage: Stage) -> None:
    stage.join("once", amount="25")
    stage.join("month", amount="20", currency="USD", email="b@example.org")
    stage.stripe.refund(Payment.objects.get(frequency="once").stripe_payment_intent_id, 1000)
    stage.settle_down()
    settled = LedgerEntry.objects.filter(kind="settlement")
    balance = stage.stripe.snapshot()["eur"]
    assert sum(line.settled_amount for line in settled) == balance["gross"]
    assert sum(line.fee for line in settled) == balance["fees"]
    assert stage.books()["currencies"]["USD"]["settled_elsewhere"]["EUR"]["gross"] > 0
