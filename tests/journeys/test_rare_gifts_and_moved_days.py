"""Gifts of other rhythms can be paused where a pause means something, and a moved billing day takes nobody's place."""

from __future__ import annotations

from datetime import timedelta

from members import clock
from payments.models import Payment, Subscription
from payments.recurring import changes
from payments.templatetags.money import day
from tests.journeys.letters import words
from tests.payments.reader_links import press, stop_page
from tests.stage import Stage


def one() -> Subscription:
    return Subscription.objects.select_related("membership").get()


def page(stage: Stage) -> str:
    return " ".join(stage.client.get(stop_page()).content.decode().split())


def test_a_yearly_gift_says_kindly_that_it_cannot_be_paused(stage: Stage) -> None:
    stage.join("year", amount="60")
    found = page(stage)
    assert 'id="pause"' not in found
    assert "A gift that is taken less often than every three months cannot be paused." in found
    assert press(stage, "pause") == "ask"
    assert not one().changes.exists()


def test_a_gift_every_three_months_is_paused_and_skips_one_payment(stage: Stage) -> None:
    stage.join("month", amount="30")
    stage.stripe.set_price(one().stripe_subscription_id, 3000, interval="month", count=3)
    stage.settle_down()
    renews_on, paid = one().renews_on, Payment.objects.filter(status="succeeded").count()
    stage.sleep_until(renews_on - timedelta(days=5))
    assert 'id="pause"' in page(stage)
    assert press(stage, "pause") == "paused"
    stage.settle_down()
    resumes_on = clock.day_of(changes.resumes_at())
    assert f"Your gift is paused until {day(resumes_on)}." in words("paused")
    stage.sleep_until(resumes_on)
    assert Payment.objects.filter(status="succeeded").count() == paid
    stage.sleep_until(one().renews_on)
    assert Payment.objects.filter(status="succeeded").count() == paid + 1


def test_a_billing_day_moved_by_two_months_keeps_the_patron(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.move_billing_day(one().stripe_subscription_id, days=75)
    stage.settle_down()
    row = one()
    assert (row.status, row.renews_on) == ("trialing", clock.today() + timedelta(days=75))
    assert row.membership is not None
    assert row.membership.paid_through == row.renews_on
    stage.sleep(60)
    row = one()
    assert row.membership is not None
    assert row.membership.state_on(clock.today()) == "active"
    assert stage.books()["broken"] == []
    stage.sleep_until(row.renews_on)
    row = one()
    assert row.membership is not None
    assert [payment.amount for payment in Payment.objects.filter(status="succeeded")] == [1000, 1000]
    assert row.membership.paid_through == row.renews_on > clock.today()
