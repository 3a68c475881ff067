"""What Stripe pays out ties to what it is made of, and to our ledger, to the cent; and each payout is known."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stripe

from members import clock
from payments import daily
from payments.alerts import rules
from payments.books import payouts
from payments.books.payouts import Holding
from payments.models import Case, Payment, Payout
from tests import factories
from tests.stage import KEY, Stage

SETTLES, FAILS = "DE89370400440532013000", "DE62370400440532013001"


def pay_out(stage: Stage) -> None:
    """What is available leaves, and arrives; of all that Stripe tells meanwhile only this is heard."""
    for days in (3, 2):
        clock.move(timedelta(days=days))
        stage.stripe.advance(days=days)
        if days == 3:
            stage.stripe.payout()
    stage.stripe.deliver([event for event in stage.stripe.outbox() if event["type"].startswith("payout.")])
    stage.work()


def sell_a_book(stage: Stage, mode: str = "payment") -> None:
    """What other software on the same account takes: 5 euros."""
    shop = stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url})
    price = {"currency": "eur", "unit_amount": 500, "product_data": {"name": "A book"}}
    recurring = {"recurring": {"interval": "month"}} if mode == "subscription" else {}
    items = [{"quantity": 1, "price_data": {**price, **recurring}}]
    session = shop.v1.checkout.sessions.create(
        {"mode": mode, "success_url": "https://shop.example.org/", "line_items": items},
        {"idempotency_key": f"shop-{mode}"},
    )
    stage.stripe.pay(session.id, email="buyer@example.org")


def missing_cases() -> list[Case]:
    daily.run()
    return list(Case.objects.filter(kind="payout_not_booked"))


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
    assert payouts.holding(payout) == Holding(booked=payout.amount, missing=0, of_others=0, of_stripe=0)
    assert missing_cases() == []
    assert stage.books()["broken"] == []


def test_a_gift_that_was_never_booked_is_missing_in_its_payout(stage: Stage) -> None:
    """To Stripe the payout adds up; to our ledger it does not. Once by card, once by an invoice without metadata."""
    stage.join("once", amount="10")
    stage.pay(stage.give("once", amount="25", email="b@example.org"))
    stage.pay(stage.give("month", amount="20", email="c@example.org"))
    pay_out(stage)
    payout = Payout.objects.get()
    held = payouts.holding(payout)
    lacked = payout.lines.filter(ledger_entry=None)
    assert payout.unexplained == 0
    assert sorted(lacked.values_list("amount", "whose")) == [(2000, "ours"), (2500, "ours")]
    assert held.missing == sum(line.net for line in lacked)
    assert held == Holding(payout.amount - held.missing, held.missing, 0, 0)

    assert missing_cases() == [], "its events may still be on their way"
    clock.move(timedelta(hours=1))
    [case] = missing_cases()
    assert case.facts == {"payout": payout.pk, "missing": [held.missing, "EUR"], "lines": 2}
    assert missing_cases() == [case]
    assert rules.BY_NAME["cases-open"].look() is not None
    stage.client.force_login(factories.staff())
    assert "ours, and missing" in stage.client.get(f"/admin/payments/payout/{payout.pk}/change/").content.decode()
    assert "Missing in our books" in stage.client.get(f"/admin/payments/case/{case.pk}/change/").content.decode()

    stage.settle_down()
    assert payouts.holding(payout) == Holding(payout.amount, 0, 0, 0), "it came after all"


def test_what_others_sell_is_in_the_payout_and_not_missing(stage: Stage) -> None:
    stage.join("once", amount="10")
    for mode in ("payment", "subscription"):
        sell_a_book(stage, mode)
    stage.stripe.refund(stage.stripe.world.store.all("charge")[-1]["id"], 100)
    pay_out(stage)
    clock.move(timedelta(hours=2))
    held = payouts.holding(Payout.objects.get())
    assert held.missing == held.of_stripe == 0
    assert held.of_others == sum(line.net for line in Payout.objects.get().lines.filter(whose="others"))
    assert held.booked + held.of_others == Payout.objects.get().amount
    assert missing_cases() == []


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_a_debit_that_failed_costs_what_stripe_takes_for_it_and_nothing_is_missing(
    stage: Stage, frequency: str
) -> None:
    stage.stripe.world.policy.failure_fee = 350
    stage.join("once", amount="50")
    stage.join(frequency, amount="25", iban=FAILS, email="b@example.org")
    stage.sleep(8)
    stage.stripe.payout()
    stage.sleep(2)
    payout = Payout.objects.get()
    parts = payouts.breakdown(payout)
    assert (parts["payment"], parts["payment_failure_refund"]) == (2500, -2500)
    assert (payout.unexplained, sum(parts.values())) == (0, payout.amount)
    assert payouts.holding(payout) == Holding(payout.amount + 350, 0, 0, -350)
    clock.move(timedelta(hours=2))
    assert missing_cases() == []


def test_a_debit_that_was_paid_out_while_the_bank_had_it_is_ours_when_it_has_come(stage: Stage) -> None:
    stage.join("once", amount="25", iban=SETTLES)
    line = stage.stripe.world.store.all("balance_transaction")[0]
    stage.stripe.world.unschedule("settle", line["source"])
    stage.sleep(8)
    stage.stripe.payout()
    stage.sleep(2)
    payout = Payout.objects.get()
    assert payouts.holding(payout) == Holding(0, 0, 0, payout.amount)
    stage.stripe.settle_sepa(line["source"])
    stage.settle_down()
    assert payouts.holding(payout) == Holding(payout.amount, 0, 0, 0)


def test_a_payout_settles_what_it_is_made_of(stage: Stage) -> None:
    """Its lines say what Stripe took: no fee that was read too early makes a gift look missing."""
    stage.stripe.world.policy.late_fees = True
    stage.join("once", amount="10")
    pay_out(stage)
    assert not Payout.objects.get().lines.filter(ledger_entry=None).exists()


def test_a_line_that_stands_otherwise_in_our_ledger(stage: Stage) -> None:
    stage.join("once", amount="10")
    line = stage.stripe.world.store.all("balance_transaction")[0]
    with stage.stripe.world.transaction():
        stage.stripe.world.update(line, amount=line["amount"] + 1, net=line["net"] + 1)
    pay_out(stage)
    assert payouts.holding(Payout.objects.get()).missing == 1
    clock.move(timedelta(hours=2))
    assert missing_cases()[0].facts["missing"] == [1, "EUR"]


def test_a_payout_is_known_from_its_first_day(stage: Stage) -> None:
    stage.join("once", amount="25")
    stage.advance(3)
    taken_back, kept = [], []
    for seen in (taken_back, kept):
        stage.stripe.payout()
        stage.settle_down()
        payout = Payout.objects.latest("pk")
        seen.append(payout.status)
        if seen is taken_back:
            stage.stripe.cancel_payout(payout.stripe_payout_id)
        for _ in range(2):
            stage.advance()
            payout.refresh_from_db()
            seen.append(payout.status)
    assert taken_back == ["pending", "canceled", "canceled"]
    assert kept == ["pending", "paid", "paid"]


def test_a_payout_that_fails_is_told(stage: Stage) -> None:
    stage.join("once", amount="25")
    stage.advance(3)
    made = stage.stripe.payout()
    stage.stripe.fail_payout(made[0]["id"])
    stage.settle_down()
    assert Payout.objects.get().status == "failed"
