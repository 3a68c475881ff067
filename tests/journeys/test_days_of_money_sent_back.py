"""Money that went back and the days it had paid for: they stay, or go and come again, as the level says."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import transaction

from members import clock
from members.belonging import entitlements
from members.models import Level, Membership
from payments.models import Payment
from tests.stage import Stage, shuffled

WHO = "olena@example.org"


@pytest.fixture
def _days_go(db: None) -> None:
    Level.objects.update(stays_when_sent_back=False)


def patron(stage: Stage, days: int = 5) -> Payment:
    stage.join("month", amount="10", email=WHO)
    stage.advance(days)
    return Payment.objects.latest("paid_at")


def belonging(stage: Stage) -> tuple[str, date]:
    """What other servers are told, and through which day it is paid."""
    assert stage.books()["broken"] == []
    return entitlements.of_email(WHO).reason, Membership.objects.get().paid_through


def refund(stage: Stage, payment: Payment, amount: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = stage.stripe.refund(payment.stripe_payment_intent_id, amount)
    stage.settle_down()
    return found


def test_days_stay_unless_the_level_says_otherwise(stage: Stage) -> None:
    payment = patron(stage)
    refund(stage, payment)
    assert belonging(stage) == ("active", payment.paid_through)


@pytest.mark.usefixtures("_days_go")
class TestDaysGo:
    def test_a_full_refund_ends_access_at_once(self, stage: Stage) -> None:
        payment = patron(stage)
        refund(stage, payment, 400)
        assert belonging(stage) == ("active", payment.paid_through)
        refund(stage, payment)
        assert belonging(stage) == ("lapsed", clock.day_of(payment.paid_at))

    def test_a_refund_that_failed_gives_it_again(self, stage: Stage) -> None:
        payment = patron(stage)
        before = Membership.objects.values().get()
        made = refund(stage, payment)
        stage.stripe.fail_refund(made["id"])
        stage.settle_down()
        assert belonging(stage) == ("active", payment.paid_through)
        assert Membership.objects.values().get() == before

    @pytest.mark.parametrize("is_won", [True, False])
    def test_a_dispute_takes_the_days_until_it_is_won(self, stage: Stage, is_won: bool) -> None:
        payment = patron(stage)
        dispute = stage.stripe.dispute(payment.stripe_payment_intent_id)
        stage.settle_down()
        assert belonging(stage)[0] == "lapsed"
        stage.stripe.close_dispute(dispute["id"], won=is_won)
        stage.settle_down()
        assert belonging(stage)[0] == ("active" if is_won else "lapsed")

    def test_of_two_payments_the_newest_refunded_leaves_the_first(self, stage: Stage) -> None:
        newest = patron(stage, days=33)
        first = Payment.objects.earliest("paid_at")
        assert newest != first
        refund(stage, newest)
        assert belonging(stage) == ("lapsed", first.paid_through)
        stage.sleep(31)
        assert belonging(stage) == ("active", Payment.objects.latest("paid_at").paid_through)

    def test_a_gift_that_ended_and_went_back(self, stage: Stage) -> None:
        """The end moves to the day of the stop, as if the month had never been paid."""
        payment = patron(stage)
        refund(stage, payment)
        stage.stripe.cancel(payment.subscription.stripe_subscription_id, at_period_end=False)
        stage.settle_down()
        assert belonging(stage)[0] == "ended"
        assert Membership.objects.get().ended_on == clock.today()

    def test_switching_later_leaves_the_books_right(self, stage: Stage) -> None:
        payment = patron(stage)
        refund(stage, payment)
        Level.objects.update(stays_when_sent_back=True)
        assert belonging(stage)[0] == "lapsed"
        stage.sleep(33)
        assert belonging(stage)[0] == "active"

    def test_the_order_in_which_it_is_told_changes_nothing(self, stage: Stage) -> None:
        checkout = stage.give("month", amount="10", email=WHO)
        stage.pay(checkout)
        stage.stripe.advance(days=70)
        intents = [event["data"]["object"]["payment_intent"] for event in stage.stripe.events("charge.succeeded")]
        stage.stripe.refund(intents[-1])
        won = stage.stripe.dispute(intents[0])
        stage.stripe.close_dispute(won["id"], won=True)
        events = stage.stripe.outbox()
        seen = set()
        for seed in range(8):
            with transaction.atomic():
                for event in shuffled(events, seed):
                    assert stage.post(event) == 200
                    stage.work()
                stage.work()
                row = Membership.objects.get()
                seen.add((row.starts_on, row.paid_through, row.grace_through, belonging(stage)[1]))
                transaction.set_rollback(True)
        assert len(seen) == 1
        assert row.grace_through == row.paid_through
