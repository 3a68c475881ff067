"""The complete comparison: every difference is found with its id, nothing is changed, other software is ignored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import stripe

from members import clock
from payments.errors import AlreadyClosed
from payments.models import (
    Difference,
    Dispute,
    LedgerEntry,
    Payment,
    Reconciliation,
    Refund,
    Subscription,
)
from payments.reconciling import comparison, differences, missed_events, runs
from payments.reconciling.comparison import seen, subscriptions
from payments.stripe_api import client as stripe_client
from payments.webhooks import drain
from tests import factories
from tests.payments.reconciling.setting import alter, balance_line, compare, counts, forget, found
from tests.stage import KEY, Stage


def test_books_that_agree(stage: Stage) -> None:
    stage.join("once")
    stage.join("month", email="b@example.org")
    stage.stripe.refund(Payment.objects.first().stripe_payment_intent_id, 300)
    stage.settle_down()
    run = compare(stage)
    # Two charges, a subscription, a refund, and three lines of the balance.
    assert (run.error, run.found, run.looked_at) == ("", 0, 7)
    assert missed_events.collect().found == 0
    assert runs.step().is_in_step
    assert runs.step().agreed_at == run.finished_at


class TestMoney:
    def test_one_unit_of_drift(self, stage: Stage) -> None:
        stage.join("once")
        line = balance_line(stage)
        before = counts()
        alter(stage, line["id"], amount=line["amount"] + 1, fee=line["fee"] + 1)
        assert compare(stage).found == 2
        fee, amount = line["fee"], line["amount"]
        assert found() == {
            ("balance_transaction", "amount", f"{amount} EUR", f"{amount + 1} EUR"),
            ("balance_transaction", "fee", f"{fee} EUR", f"{fee + 1} EUR"),
        }
        assert set(Difference.objects.values_list("stripe_id", flat=True)) == {line["id"]}
        assert counts() == before, "nothing is changed silently"
        assert not any(differences.can_take(row) for row in Difference.objects.all()), "money rows are never edited"

    def test_a_line_we_lack_is_taken_by_collecting_it(self, stage: Stage) -> None:
        stage.pay(stage.give("once"))
        stage.bring()
        drain.until_nothing_is_due()
        assert compare(stage).found == 1
        difference = Difference.objects.get()
        line = balance_line(stage)
        assert (difference.kind, difference.field, difference.stripe_id) == (
            "balance_transaction",
            "missing",
            line["id"],
        )
        assert difference.theirs == f"1000 EUR, {line['fee']}"
        differences.take(difference, factories.staff())
        assert LedgerEntry.objects.get(kind="settlement").source == f"balance_transaction:{line['id']}"
        assert compare(stage).found == 0

    def test_a_line_stripe_does_not_know(self, stage: Stage) -> None:
        stage.join("once")
        line = balance_line(stage)
        forget(stage, line["id"])
        compare(stage)
        assert found() == {("balance_transaction", "extra", f"1000 EUR, {line['fee']}", "")}

    def test_a_line_that_stays_unsettled(self, stage: Stage) -> None:
        stage.pay(stage.give("once"))
        stage.bring()
        drain.until_nothing_is_due()
        forget(stage, balance_line(stage)["id"])
        assert compare(stage).found == 0, "Stripe may know a fee only later"
        clock.move(timedelta(days=4))
        stage.stripe.advance(days=4)
        compare(stage)
        assert found() == {("balance_transaction", "unsettled", "1000 EUR", "")}

    def test_a_state_of_a_charge_that_nobody_knows_is_no_difference(self, stage: Stage) -> None:
        stage.join("once")
        alter(stage, Payment.objects.get().stripe_charge_id, status="reviewed_by_somebody")
        run = compare(stage)
        assert (run.error, run.found) == ("", 0)

    def test_another_amount_and_state_of_a_charge(self, stage: Stage) -> None:
        stage.join("once")
        stage.join("once", iban="DE89370400440532013000", email="b@example.org")
        card, debit = Payment.objects.order_by("pk")
        alter(stage, card.stripe_charge_id, amount=1001)
        stage.stripe.settle_sepa(debit.stripe_payment_intent_id)
        compare(stage)
        assert {
            ("payment", "amount", "1000 EUR", "1001 EUR"),
            ("payment", "status", "processing", "succeeded"),
        } <= found()

    def test_a_charge_stripe_does_not_know(self, stage: Stage) -> None:
        stage.join("once")
        payment = Payment.objects.get()
        forget(stage, payment.stripe_charge_id)
        compare(stage)
        assert ("payment", "extra", "1000 EUR", "") in found()
        row = Difference.objects.get(kind="payment")
        with pytest.raises(AlreadyClosed):
            differences.take(row, factories.staff())

    def test_a_try_that_failed_is_no_failed_payment_while_the_bank_has_the_next(self, stage: Stage) -> None:
        stage.join("month", iban="DE89370400440532013000")
        payment = Payment.objects.get()
        assert payment.status == "processing"
        charge = stage.stripe.events("charge.pending")[0]["data"]["object"]
        first = {**stage.stripe.world.store.find(charge["id"]), "id": "ch_first_try", "status": "failed"}
        with stage.stripe.world.transaction():
            stage.stripe.world.add(first)
        assert compare(stage).found == 0

    def test_a_debit_that_failed_unheard(self, stage: Stage) -> None:
        stage.join("once", iban="DE89370400440532013000")
        stage.stripe.settle_sepa(Payment.objects.get().stripe_payment_intent_id, succeeds=False)
        compare(stage)
        assert ("payment", "status", "processing", "failed") in found()
        differences.take(Difference.objects.get(kind="payment"), factories.staff())
        stage.work()
        assert Payment.objects.get().status == "failed"
        assert compare(stage).found == 0

    @pytest.mark.parametrize("frequency", ["once", "month"])
    def test_a_debit_s_line_is_compared_when_its_money_has_come(self, stage: Stage, frequency: str) -> None:
        """Stripe made the line on the day of the order, long before the span in which the money arrived."""
        stage.join(frequency, iban="DE89370400440532013000")
        charge = stage.stripe.events("charge.pending")[0]["data"]["object"]
        stage.stripe.world.unschedule("settle", charge["id"])
        stage.sleep(10)
        assert compare(stage).found == 0
        stage.stripe.settle_sepa(charge["id"])
        stage.settle_down()
        assert compare(stage).found == 0
        line = balance_line(stage, "payment")
        assert LedgerEntry.objects.get(kind="settlement").fee == line["fee"]
        alter(stage, line["id"], fee=line["fee"] + 1)
        compare(stage)
        assert found() == {("balance_transaction", "fee", f"{line['fee']} EUR", f"{line['fee'] + 1} EUR")}

    def test_a_debit_that_our_books_lack_while_the_bank_has_it(self, stage: Stage) -> None:
        stage.pay(stage.give("once"), iban="DE89370400440532013000")
        compare(stage)
        assert found() == {("payment", "missing", "", "1000 EUR")}

    def test_a_debit_made_long_before_the_span(self, stage: Stage) -> None:
        stage.join("once", iban="DE89370400440532013000")
        for _ in range(3):
            stage.stripe.world.unschedule("settle", stage.stripe.events("charge.pending")[0]["data"]["object"]["id"])
            clock.move(timedelta(days=4))
            stage.stripe.advance(days=4)
            assert compare(stage).found == 0
        stage.stripe.settle_sepa(Payment.objects.get().stripe_payment_intent_id)
        compare(stage)
        assert ("payment", "status", "processing", "succeeded") in found()


class TestTakenBack:
    def test_refunds_and_disputes_unheard(self, stage: Stage) -> None:
        stage.join("once")
        stage.join("month", email="b@example.org")
        gift, instalment = Payment.objects.order_by("pk")
        stage.stripe.refund(gift.stripe_payment_intent_id, 300)
        stage.stripe.dispute(instalment.stripe_payment_intent_id)
        before = counts()
        compare(stage)
        kinds = {(kind, field) for kind, field, _, _ in found()}
        missing = {("refund", "missing"), ("dispute", "missing"), ("balance_transaction", "missing")}
        assert kinds == missing
        assert counts() == before
        marta = factories.staff()
        for row in Difference.objects.filter(kind__in=("refund", "dispute")):
            differences.take(row, marta)
        stage.work()
        assert (Refund.objects.get().amount, Dispute.objects.get().withdrawn_amount) == (300, 1000)
        assert compare(stage).found == 0

    def test_a_dispute_that_was_won_unheard(self, stage: Stage) -> None:
        stage.join("once")
        dispute = stage.stripe.dispute(Payment.objects.get().stripe_payment_intent_id)
        stage.settle_down()
        assert compare(stage).found == 0
        stage.stripe.close_dispute(dispute["id"], won=True)
        compare(stage)
        assert {("dispute", "status", "needs_response", "won"), ("dispute", "taken", "1000 EUR", "0 EUR")} <= found()

    def test_a_refund_stripe_does_not_know(self, stage: Stage) -> None:
        stage.join("once")
        refund = stage.stripe.refund(Payment.objects.get().stripe_payment_intent_id, 300)
        stage.settle_down()
        forget(stage, refund["id"])
        compare(stage)
        assert ("refund", "extra", "300 EUR", "") in found()


class TestSubscriptions:
    def test_every_field(self, stage: Stage) -> None:
        stage.join("month")
        row = Subscription.objects.get()
        resumes = int(row.current_period_end.timestamp())
        alter(
            stage,
            row.stripe_subscription_id,
            status="past_due",
            cancel_at_period_end=True,
            cancel_at=resumes,
            pause_collection={"behavior": "void", "resumes_at": resumes},
        )
        compare(stage)
        fields = {(field, ours, theirs) for _, field, ours, theirs in found()}
        ends = row.current_period_end.isoformat()
        assert fields == {
            ("status", "active", "past_due"),
            ("cancel_at_period_end", "no", "yes"),
            ("cancel_at", "", ends),
            ("collection_paused", "no", "yes"),
            ("resumes_at", "", ends),
        }

    def test_one_we_lack_with_its_money(self, stage: Stage) -> None:
        """Its charge carries no metadata of ours: the invoice shows that it is ours."""
        stage.pay(stage.give("month"))
        compare(stage)
        assert {(kind, field) for kind, field, _, _ in found()} == {
            ("subscription", "missing"),
            ("payment", "missing"),
            ("balance_transaction", "missing"),
        }
        differences.take(Difference.objects.get(kind="payment"), factories.staff())
        stage.work()
        assert (Subscription.objects.count(), Payment.objects.get().status) == (1, "succeeded")
        assert compare(stage).found == 0

    def test_one_stripe_does_not_know(self, stage: Stage) -> None:
        stage.join("month")
        forget(stage, Subscription.objects.get().stripe_subscription_id)
        compare(stage)
        assert found() == {("subscription", "extra", "active", "")}

    def test_one_that_changed_while_we_looked(self, stage: Stage) -> None:
        """A page that was old when it was compared: the second read shows that nothing differs."""
        stage.join("month")
        row = Subscription.objects.get()
        stale = replace(stripe_client.read_subscription(row.stripe_subscription_id), status="past_due")
        run = Reconciliation.objects.create(kind="objects", since=clock.now(), until=clock.now())
        with seen.table():
            comparison.compare(replace(subscriptions.KIND, pages=lambda since, until: iter([[stale]])), run)
            assert found() == set()
            as_stale = replace(subscriptions.KIND, pages=lambda *span: iter([[stale]]), read=lambda stripe_id: stale)
            comparison.compare(as_stale, run)
        assert found() == {("subscription", "status", "active", "past_due")}


def test_what_others_sell_on_the_same_account_is_left_out(stage: Stage) -> None:
    stage.join("month")
    shop = stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url})
    price = {"currency": "eur", "unit_amount": 900, "product_data": {"name": "A book"}}
    for mode in ("payment", "subscription"):
        recurring = {"recurring": {"interval": "month"}} if mode == "subscription" else {}
        items = [{"quantity": 1, "price_data": {**price, **recurring}}]
        session = shop.v1.checkout.sessions.create(
            {"mode": mode, "success_url": "https://shop.example.org/", "line_items": items}
        )
        stage.stripe.pay(session.id, email="buyer@example.org")
        if mode == "payment":
            stage.stripe.refund(session.id, 100)
        else:
            stage.stripe.dispute(session.id)
    run = compare(stage)
    assert run.looked_at > 8
    assert found() == set()
