"""A reader goes to Stripe's page and chooses a card that is there already: the page comes to an end that is true."""

from __future__ import annotations

from datetime import timedelta

from django.utils.html import strip_tags

from members.links import signed
from payments.models import MethodChange, PortalVisit, Subscription
from tests.journeys.test_another_card import at_stripe, charged, one
from tests.journeys.test_one_card_for_all_gifts import two_gifts, visit
from tests.payments.reader_links import change_card, fall_behind, method_page, state_of
from tests.payments.test_stripe_requests import wait
from tests.stage import Stage
from tests.stripe_simulator.test_pages import browse

PAID_FROM = "Your gift is paid from Visa 4242."


def choose(stage: Stage, method: str) -> str:
    """Choose a card that Stripe's page lists already; the address of the way back."""
    return change_card(stage, saved=method)


def words(stage: Stage, back: str) -> str:
    return " ".join(strip_tags(stage.client.get(back).content.decode()).split())


def test_the_card_that_checkout_saved(stage: Stage) -> None:
    """It becomes the customer's default too, and an event tells of it."""
    stage.join("month", amount="10")
    back = choose(stage, one().stripe_payment_method_id)
    assert state_of(stage.client.get(back).content) == "checking"
    stage.settle_down()
    assert PAID_FROM in words(stage, back)
    assert not MethodChange.objects.exists()
    stage.sleep(33)
    assert charged(stage) == ["4242", "4242"]


def test_the_default_that_it_was_already(stage: Stage) -> None:
    """Nothing changes at Stripe, and no event comes: the reader's return has it read."""
    stage.join("month", amount="10")
    choose(stage, one().stripe_payment_method_id)
    stage.settle_down()
    back = choose(stage, one().stripe_payment_method_id)
    assert stage.bring() == 0
    assert state_of(stage.client.get(back).content) == "checking"
    stage.work()
    assert state_of(stage.client.get(back).content) == "same"
    assert PAID_FROM in words(stage, back)


def test_a_gift_without_a_card_of_its_own(stage: Stage) -> None:
    stage.join("month", amount="10")
    method = one().stripe_payment_method_id
    choose(stage, method)
    world = stage.stripe.world
    with world.transaction():
        world.update(world.get("subscription", one().stripe_subscription_id), default_payment_method=None)
    back = choose(stage, method)
    stage.client.get(back)
    stage.settle_down()
    assert state_of(stage.client.get(back).content) == "same"


def test_another_gift_takes_the_card_that_is_the_default_already(stage: Stage) -> None:
    """The first gift's visit made it the default of both; the reader chooses it for the second one too."""
    first, second = two_gifts(stage, one_customer=True)
    visit(stage, first)
    first.refresh_from_db()
    assert Subscription.objects.get(pk=second.pk).method == "Visa 0341"
    page = f"/method/{signed.sign('method', str(second.public_id))}/"
    chosen = browse(stage.client.post(page)["Location"], action="method", saved=first.stripe_payment_method_id)
    back = (chosen.location or "").removeprefix("http://testserver")
    stage.client.get(back)
    stage.settle_down()
    stage.settle_down()
    assert state_of(stage.client.get(back).content) == "changed"
    assert Subscription.objects.get(pk=second.pk).method == "Mastercard 4444"
    stage.sleep(33)
    assert charged(stage)[-2:] == ["4444", "4444"]


def test_what_is_overdue_is_not_called_paid(stage: Stage) -> None:
    fall_behind(stage)
    back = choose(stage, one().stripe_payment_method_id)
    stage.client.get(back)
    stage.settle_down()
    found = words(stage, back)
    assert "Your gift is paid from Visa 0341." in found
    assert "The payment that is open stays open." in found
    assert stage.client.get(back).content.decode().count("<button") == 1


def test_what_staff_choose_afterwards_stands(stage: Stage) -> None:
    stage.join("month", amount="10")
    method = one().stripe_payment_method_id
    back = choose(stage, method)
    stage.client.get(back)
    stage.settle_down()
    other = stage.stripe.set_payment_method(one().stripe_customer_id, "5555555555554444")
    world = stage.stripe.world
    with world.transaction():
        customer = world.get("customer", one().stripe_customer_id)
        settings = {**customer["invoice_settings"], "default_payment_method": method}
        world.update(customer, "customer.updated", invoice_settings=settings)
    stage.settle_down()
    stage.client.get(back)
    stage.settle_down()
    assert at_stripe(stage)["default_payment_method"] == other["id"]
    assert not MethodChange.objects.exists()


def test_an_address_opened_days_later_says_nothing_new(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.client.post(method_page())
    wait(stage, timedelta(days=3))
    assert state_of(stage.client.get(f"{method_page()}?back=1").content) == "ask"
    assert PortalVisit.objects.get().came_back_at is None
