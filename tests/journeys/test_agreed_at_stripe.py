"""What staff agree on with a patron in Stripe's dashboard, beyond what our forms offer: mirrored, shown in words, never
changed by accident, and looked at by a person once.
"""

from __future__ import annotations

import pytest
from django.test import Client

from members.models import Membership, Message
from payments.errors import NothingToChange
from payments.recurring import changes
from tests import factories
from tests.journeys.agreed import all_is_well, booked, cases, charged, gift_id, one, unworked
from tests.stage import Stage, link

# A rhythm of its own


def test_every_three_months_is_shown_everywhere_and_a_lower_amount_is_not_offered(
    stage: Stage, admin_client: Client
) -> None:
    stage.join("month", amount="10")
    stage.stripe.set_price(gift_id(), 3000, "month", count=3)
    stage.settle_down()
    row = one()
    assert (row.frequency, row.rhythm, row.amount, row.monthly_amount) == ("other", "3 month", 3000, 1000)
    letter = Message.objects.get(kind="plan_changed")
    assert letter.subject == "From now on: €30.00 every 3 months"
    receipt = Message.objects.filter(kind="receipt_recurring").latest("pk")
    assert "€30.00 every 3 months" in receipt.body_text
    page = stage.client.get(link(receipt.body_text, "/stop/")).content.decode()
    assert "€30.00 every 3 months" in page
    assert "Stop your support?" in page
    assert "Lower to" not in page
    assert "Your gift is a personal arrangement" in page
    assert 'id="pause"' in page, "a pause changes neither sum nor rhythm"
    ukrainian = stage.client.get(link(receipt.body_text, "/stop/").partition("?")[0] + "?lang=uk").content.decode()
    assert "кожні 3 місяці" in ukrainian
    desk = admin_client.get(f"/admin/payments/subscription/{row.pk}/change/").content.decode()
    assert "€30.00 every 3 months" in desk
    assert cases() == ["unusual_gift"]
    stage.sleep(100)
    assert cases() == ["unusual_gift"]
    assert charged(stage) == [1000, 3000, 3000]
    all_is_well(stage)


def test_a_lower_amount_asked_for_all_the_same_changes_nothing(stage: Stage) -> None:
    """Today's page may have been open since before: a lower amount would make it monthly and charge it at once."""
    stage.join("month", amount="30")
    path = link(stage.last_mail(), "/stop/")
    stage.stripe.set_price(gift_id(), 3000, "month", count=3)
    stage.settle_down()
    before = charged(stage)
    answer = stage.client.post(path, {"do": "lower", "amount": "1000"})
    assert answer.status_code == 200
    with pytest.raises(NothingToChange):
        changes.request_amount(one(), 1000, "test")
    stage.settle_down()
    assert charged(stage) == before
    assert one().rhythm == "3 month"


def test_a_lower_amount_of_a_gift_agreed_on_meanwhile_is_not_sent(stage: Stage) -> None:
    """Our row does not know yet of the second item: the fresh read before the request does."""
    stage.join("month", amount="30")
    stage.stripe.add_item(gift_id(), 500)
    with pytest.raises(NothingToChange):
        changes.request_amount(one(), 1000, "test")


def test_a_year_of_twelve_months_is_a_year_and_stays_one_when_lowered(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.set_price(gift_id(), 24000, "month", count=12)
    stage.settle_down()
    assert (one().frequency, one().is_as_offered) == ("year", True)
    changes.request_amount(one(), 12000, "test")
    stage.settle_down()
    item = stage.stripe.get(gift_id())["items"]["data"][0]
    assert (item["price"]["recurring"]["interval"], item["price"]["recurring"]["interval_count"]) == ("month", 12)
    assert charged(stage) == [1000, 24000]
    assert cases() == []


@pytest.mark.parametrize("interval", ["week", "day"])
def test_every_week_and_every_day_are_booked(stage: Stage, interval: str) -> None:
    stage.join("month", amount="10")
    stage.stripe.set_price(gift_id(), 300, interval)
    stage.settle_down()
    stage.sleep(15 if interval == "week" else 4)
    assert one().rhythm == interval
    assert f"€3.00 every {interval}" in Message.objects.filter(kind="receipt_recurring").latest("pk").body_text
    assert cases() == ["unusual_gift"]
    assert "renewal_missed" not in cases()
    all_is_well(stage)


def test_one_that_ends_in_another_rhythm_is_over_with_us_too(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.set_price(gift_id(), 300, "week")
    stage.settle_down()
    stage.stripe.cancel(gift_id())
    stage.settle_down()
    assert one().status == "canceled"
    assert unworked() == []
    assert "Your gift of €3.00 every week has stopped." in Message.objects.get(kind="cancelled").body_text


# Several items, a quantity, a price that is no number


def test_the_sum_of_the_items_counts_and_no_lower_amount_is_offered(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.add_item(gift_id(), 500)
    stage.settle_down()
    assert (one().amount, one().is_as_offered) == (1500, False)
    assert Message.objects.get(kind="thanks_upgrade").subject == "Now €15.00 every month: thank you"
    assert changes.lower_amount(one()) is None
    assert changes.can_pause(one())
    stage.sleep(33)
    assert booked() == [1000, 1500]
    assert cases() == ["unusual_gift"]
    all_is_well(stage)


def test_a_quantity_counts_and_is_not_lost_by_a_lower_amount(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.set_price(gift_id(), 1000, quantity=2)
    stage.settle_down()
    assert (one().amount, one().is_as_offered) == (2000, False)
    with pytest.raises(NothingToChange):
        changes.request_amount(one(), 500, "test")
    assert cases() == ["unusual_gift"]


def test_a_price_of_fractions_names_no_sum_and_takes_no_level_away(stage: Stage) -> None:
    level = factories.level("friend", amounts={"EUR": 1000})
    stage.join("month", amount="10")
    assert Membership.objects.get().level == level
    stage.stripe.set_price(gift_id(), None, decimal="1000.5")
    stage.settle_down()
    assert (one().amount, one().is_sum_sure) == (0, False)
    letter = Message.objects.get(kind="plan_changed")
    assert letter.subject == "From now on: changing amounts every month"
    stage.sleep(33)
    assert booked() == [1000, 1001]
    assert Membership.objects.get().level == level
    assert cases() == ["unusual_gift"]
    all_is_well(stage)


def test_a_month_paid_from_credit_keeps_the_level_of_a_gift_without_a_sum(stage: Stage) -> None:
    level = factories.level("friend", amounts={"EUR": 1000})
    stage.join("month", amount="10")
    stage.stripe.set_price(gift_id(), None, decimal="1000.5")
    stage.stripe.credit(one().stripe_customer_id, 5000)
    stage.settle_down()
    stage.sleep(33)
    assert one().credited_through is not None
    assert Membership.objects.get().level == level
    all_is_well(stage)


def test_a_list_of_items_that_goes_on_elsewhere_names_no_sum(stage: Stage) -> None:
    stage.join("month", amount="10")
    items = stage.stripe.get(gift_id())["items"]
    stage.stripe.set_facts(gift_id(), items={**items, "has_more": True})
    stage.settle_down()
    assert (one().amount, one().is_as_offered) == (0, False)
    assert unworked() == []
