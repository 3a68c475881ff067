"""A recurring gift goes on differently: each change is told once, however often and in whatever order it comes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import stripe

from members import clock
from members.models import Message
from payments import daily
from payments.models import Subscription
from payments.templatetags.money import day
from tests.journeys.letters import kinds
from tests.payments.reader_links import press
from tests.stage import KEY, Stage, shuffled


def paused_until(stage: Stage) -> date:
    press(stage, "pause")
    stage.settle_down()
    row = Subscription.objects.get()
    assert row.resumes_at is not None
    return clock.day_of(row.resumes_at)


def agree_at_stripe(stage: Stage, amount: int) -> None:
    """Another amount a month, in minor units, by hand in the dashboard."""
    agreed = stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url}).v1.subscriptions
    item = agreed.retrieve(Subscription.objects.get().stripe_subscription_id)["items"]["data"][0]
    price = {
        "currency": "eur",
        "unit_amount": amount,
        "recurring": {"interval": "month"},
        "product": item["price"]["product"],
    }
    change = {"items": [{"id": item["id"], "price_data": price}], "proration_behavior": "none"}
    agreed.update(item["subscription"], change)  # type: ignore[arg-type]


def tell_shuffled(stage: Stage) -> None:
    """All that Stripe says now, three times over, each time in another order."""
    events = stage.stripe.outbox()
    assert events
    for seed in range(3):
        for event in shuffled(events, seed):
            assert stage.post(event) == 200
        stage.work()
    stage.settle_down()


def test_a_pause_is_told_once_and_its_end_five_days_before(stage: Stage) -> None:
    stage.join("month", amount="10")
    assert press(stage, "pause") == "paused"
    tell_shuffled(stage)
    assert kinds() == ["thanks_first_recurring", "paused"]
    row = Subscription.objects.get()
    assert row.resumes_at is not None
    resumes_on = clock.day_of(row.resumes_at)
    assert Message.objects.get(kind="paused").context["resumes_on"] == str(resumes_on)

    stage.sleep_until(resumes_on - timedelta(days=6))
    assert kinds()[2:] == []
    stage.advance(1)
    daily.run()
    assert kinds()[2:] == ["resume_soon"]
    # Three months after it began: the day of a payment too, which is then taken.
    assert Message.objects.get(kind="resume_soon").context["charged_on"] == str(resumes_on)
    stage.advance(5)
    assert kinds()[2:] == ["resume_soon", "receipt_recurring"]


def test_a_pause_that_was_slept_through_is_still_told_of_before_it_ends(stage: Stage) -> None:
    """The daily jobs did not run on the fifth day before: late rather than never, and never after the end."""
    stage.join("month", amount="10")
    resumes_on = paused_until(stage)
    daily.run(resumes_on)
    assert "resume_soon" not in kinds()
    daily.run(resumes_on - timedelta(days=1))
    assert kinds().count("resume_soon") == 1


def test_no_payment_is_promised_for_a_day_on_which_nothing_is_taken(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.advance(2)
    resumes_on = paused_until(stage)
    stage.sleep_until(resumes_on - timedelta(days=3))
    assert Subscription.objects.get().renews_on < resumes_on
    daily.run()
    charged_on = date.fromisoformat(Message.objects.get(kind="resume_soon").context["charged_on"])
    stage.sleep_until(charged_on - timedelta(days=1))
    assert kinds().count("receipt_recurring") == 0
    stage.sleep(1)
    assert kinds().count("receipt_recurring") == 1


def test_a_lower_amount_is_told_once_and_a_stop_alone(stage: Stage) -> None:
    stage.join("month", amount="10")
    assert press(stage, "lower", amount="500") == "lowered"
    tell_shuffled(stage)
    assert kinds() == ["thanks_first_recurring", "plan_changed"]
    assert Message.objects.get(kind="plan_changed").context["amount"] == Subscription.objects.get().amount == 500
    press(stage, "stop")
    stage.settle_down()
    assert kinds()[2:] == ["cancelled"]


def test_another_amount_during_a_pause_names_no_day_on_which_nothing_is_taken(stage: Stage) -> None:
    """From a page that was opened before the pause; and more of it, agreed on in the dashboard."""
    stage.join("month", amount="10")
    paused_until(stage)
    press(stage, "lower", amount="500")
    stage.settle_down()
    agree_at_stripe(stage, 1500)
    stage.settle_down()
    row = Subscription.objects.get()
    assert (row.collection_paused, row.amount) == (True, 1500)
    assert kinds()[1:] == ["paused", "plan_changed", "thanks_upgrade"]
    for letter in Message.objects.filter(kind__in=["plan_changed", "thanks_upgrade"]):
        for part in (letter.body_text, letter.body_html):
            words = " ".join(part.split())
            assert "This gift is paused: nothing is charged until the pause ends." in words
            assert day(row.renews_on) not in words
            assert "ext payment is on" not in words


@pytest.mark.parametrize("wish", ["stop", "pause"])
def test_who_takes_a_stop_or_a_pause_back_is_told_that_they_are_charged_again(stage: Stage, wish: str) -> None:
    stage.join("month", amount="10")
    press(stage, wish)
    stage.settle_down()
    press(stage, "keep")
    tell_shuffled(stage)
    assert kinds()[1:] == [{"stop": "cancelled", "pause": "paused"}[wish], "resumed"]
    row = Subscription.objects.get()
    assert Message.objects.get(kind="resumed").context["renews_on"] == str(row.renews_on)


def test_who_takes_a_stop_back_during_a_pause_is_told_that_the_pause_goes_on(stage: Stage) -> None:
    stage.join("month", amount="10")
    paused_until(stage)
    press(stage, "stop")
    stage.settle_down()
    press(stage, "keep")
    tell_shuffled(stage)
    row = Subscription.objects.get()
    assert (row.is_stopping, row.collection_paused) == (False, True)
    assert kinds()[1:] == ["paused", "cancelled", "paused"]


@pytest.mark.parametrize("is_told", [True, False])
def test_a_pause_that_ends_on_its_day_needs_no_second_letter(stage: Stage, is_told: bool) -> None:
    """Whether Stripe reports that it collects again or not: the renewal shows it."""
    stage.stripe.world.policy.resume_is_told = is_told
    stage.join("month", amount="10")
    press(stage, "pause")
    stage.settle_down()
    stage.sleep(80)
    stage.advance(20)
    assert not Subscription.objects.get().collection_paused
    assert kinds()[1:] == ["paused", "resume_soon", "receipt_recurring"]


def test_a_pause_over_the_month_before_the_year_is_full_delays_its_reminder(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.sleep(320)
    resumes_on = paused_until(stage)
    for days in (60, 20):  # before the year is full, and after
        stage.sleep(days)
        daily.run()
    assert "monthly_reminder" not in kinds()
    stage.sleep_until(resumes_on)
    stage.advance(2)
    assert kinds().count("monthly_reminder") == 1
    letter = Message.objects.get(kind="monthly_reminder")
    assert letter.context["times"] == Subscription.objects.get().payments.filter(status="succeeded").count()
    assert letter.context["renews_on"] > str(clock.today())
