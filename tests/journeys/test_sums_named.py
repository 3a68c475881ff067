"""An email names the sum of a coming payment only if that sum is taken: with credit, a debt, or an end date in the next
period, Stripe takes another one.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from members import clock
from members.mail import choices
from members.models import Message
from tests.journeys.agreed import all_is_well, booked, gift_id, one, words
from tests.journeys.test_near_a_renewal import dashboard
from tests.stage import Stage

pytestmark = pytest.mark.django_db

ANOTHER = "The sum of that payment may be another one."


def letter(kind: str) -> Message:
    return Message.objects.get(kind=kind)


def test_the_last_payment_before_an_end_date_is_for_its_days_only(stage: Stage) -> None:
    stage.join("month", amount="10")
    choices.choose(one().supporter, {"renewal_upcoming_month": True}, "page")
    end = int((clock.now() + timedelta(days=45)).timestamp())
    dashboard(stage).v1.subscriptions.update(gift_id(), {"cancel_at": end})
    stage.settle_down()
    assert not one().is_sum_sure
    stage.sleep(27)
    stage.advance(1)
    notice = letter("renewal_upcoming_month")
    stage.sleep(5)
    first, last = booked()[::-1]
    assert (first, 400 < last < 500) == (1000, True)
    assert notice.context["take"] == last
    assert "€10" not in words(notice).partition("You get this")[0].partition("Your gift")[0]
    stage.sleep(30)
    assert len(booked()) == 2
    all_is_well(stage)


def test_the_payments_before_the_last_one_are_whole(stage: Stage) -> None:
    stage.join("month", amount="10")
    end = int((clock.now() + timedelta(days=75)).timestamp())
    dashboard(stage).v1.subscriptions.update(gift_id(), {"cancel_at": end})
    stage.settle_down()
    assert one().is_sum_sure
    stage.sleep(33)
    assert booked() == [1000, 1000]
    assert not one().is_sum_sure


def test_a_higher_amount_with_a_debt_does_not_name_the_sum_of_the_next_payment(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.credit(one().stripe_customer_id, -150)
    stage.stripe.set_price(gift_id(), 1500)
    stage.settle_down()
    told = letter("thanks_upgrade")
    assert ANOTHER in words(told)
    assert ANOTHER in told.body_html
    stage.sleep(33)
    assert booked() == [1000, 1650]
    stage.stripe.set_price(gift_id(), 1200)
    stage.settle_down()
    assert ANOTHER not in words(letter("plan_changed"))


@pytest.mark.parametrize("kind", ["plan_changed", "resumed"])
def test_with_credit_the_next_payment_is_not_named(stage: Stage, kind: str) -> None:
    stage.join("month", amount="10")
    stage.stripe.credit(one().stripe_customer_id, 300)
    if kind == "plan_changed":
        stage.stripe.set_price(gift_id(), 800)
    else:
        stage.stripe.cancel(gift_id(), at_period_end=True)
        stage.settle_down()
        dashboard(stage).v1.subscriptions.update(gift_id(), {"cancel_at_period_end": False})
    stage.settle_down()
    assert ANOTHER in words(letter(kind))


def test_the_yearly_reminder_of_a_monthly_gift_with_credit(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.sleep(345)
    stage.stripe.credit(one().stripe_customer_id, 300)
    stage.settle_down()
    stage.advance(1)
    assert ANOTHER in words(letter("monthly_reminder"))


def test_a_debit_that_arrives_after_another_amount_was_agreed_names_the_new_one(stage: Stage) -> None:
    stage.join("month", amount="20", iban="DE89370400440532013000")
    stage.stripe.set_price(gift_id(), 500)
    stage.settle_down()
    stage.advance(6)
    told = letter("processing_done")
    assert "You give €5.00 every month, next on" in words(told)
    assert "You give €5.00 every month, next on" in " ".join(told.body_html.split())
    stage.sleep(31)
    stage.stripe.settle_sepa(stage.stripe.get(gift_id())["latest_invoice"])
    stage.settle_down()
    assert booked() == [500, 2000]
