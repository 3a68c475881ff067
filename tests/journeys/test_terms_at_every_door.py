"""A gift of unusual or changed terms is named with the same terms by every page and letter."""

from __future__ import annotations

from members import clock
from payments.models import Payment, Subscription
from payments.templatetags.money import day
from tests.journeys.letters import words
from tests.journeys.test_named_in_the_hour import one, return_page, seen
from tests.journeys.test_one_card_for_all_gifts import two_gifts, visit
from tests.payments.reader_links import SEPA, press
from tests.stage import Stage


def test_the_return_page_calls_no_recurring_gift_once(stage: Stage) -> None:
    stage.join("month", amount="30")
    stage.stripe.set_price(one().stripe_subscription_id, 3000, interval="month", count=3)
    stage.settle_down()
    found, said = seen(stage, return_page())
    assert "€30.00 every 3 months" in found
    assert " once" not in found
    assert (said["amount"], said["frequency"]) == ("3000", "other")


def test_a_coupon_makes_no_gift_of_nothing(stage: Stage) -> None:
    """Its sums are Stripe's to count: no page names one."""
    stage.join("month", amount="10")
    stage.stripe.discount(one().stripe_subscription_id, 20)
    stage.settle_down()
    found, _said = seen(stage, return_page())
    assert "changing amounts every month" in found
    assert "€0" not in found
    assert "instead of" not in found


def test_credit_that_may_change_the_next_sum_is_not_counted_away(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.credit(one().stripe_customer_id, 300)
    stage.sleep(33)
    assert [payment.amount for payment in Payment.objects.order_by("pk")] == [1000, 700]
    stage.stripe.credit(one().stripe_customer_id, 300)
    stage.settle_down()
    assert not one().is_sum_sure
    assert "instead of" not in seen(stage, return_page())[0]


def test_another_gift_is_named_by_its_own_rhythm(stage: Stage) -> None:
    first, second = two_gifts(stage, one_customer=False)
    stage.stripe.set_price(second.stripe_subscription_id, 2000, interval="week", count=2)
    stage.settle_down()
    back = visit(stage, first)
    assert "Change card or bank of €20.00 every 2 weeks" in stage.client.get(back).content.decode()


def test_a_receipt_for_a_debit_names_the_amount_that_was_lowered_meanwhile(stage: Stage) -> None:
    stage.join("month", amount="10", iban=SEPA)
    stage.sleep(33)
    assert Payment.objects.filter(status="processing").exists()
    press(stage, "lower", amount="500")
    stage.settle_down()
    stage.sleep(7)
    renews_on = Subscription.objects.get().renews_on
    assert renews_on > clock.today()
    found = words("receipt_recurring")
    assert "Your €10.00 arrived." in found
    assert f"Next payment {day(renews_on)}, €5.00" in found
    assert "because you give €5.00 every month" in found
