"""What Stripe pays out ties to the payments, refunds, disputes and fees it is made of, to the cent."""

from __future__ import annotations

from payments import payouts
from payments.models import Payment, Payout
from tests.stage import Stage


def test_a_payout_is_explained_to_the_cent(stage: Stage) -> None:
    stage.join("once", amount="25")
    stage.join("month", amount="20", currency="USD", email="b@example.org")
    stage.join("once", amount="40", email="c@example.org")
    first, _, third = Payment.objects.order_by("pk")
    stage.stripe.refund(first.stripe_payment_intent_id, 1000)
    stage.stripe.dispute(third.stripe_payment_intent_id)
    stage.advance(3)
    stage.stripe.payout()
    stage.advance(2)

    payout = Payout.objects.get()
    assert (payout.status, payout.unexplained) == ("paid", 0)
    assert payout.lines.count() == 5
    assert not payout.lines.filter(ledger_entry=None).exists(), "every line is one of ours"
    parts = payouts.breakdown(payout)
    assert parts["refund"] == -1000
    assert sum(parts.values()) == payout.amount
    assert stage.books()["broken"] == []


def test_a_payout_that_fails_is_told(stage: Stage) -> None:
    stage.join("once", amount="25")
    stage.advance(3)
    made = stage.stripe.payout()
    stage.stripe.fail_payout(made[0]["id"])
    stage.settle_down()
    assert Payout.objects.get().status == "failed"
