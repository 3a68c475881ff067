"""A browser that runs no script: the whole gift, another amount, a mistake and its correction."""

from __future__ import annotations

import pytest

from payments.models import Checkout, Payment
from tests.browser.conftest import Opener
from tests.browser.hands import press
from tests.browser.places import return_page
from tests.stage import Stage

pytestmark = pytest.mark.browser


def test_a_yearly_gift_of_another_amount_with_two_mistakes(open_page: Opener, stage: Stage) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/")
    page.check("[name=frequency][value=year]")
    page.check("[name=amount][value=other]")
    page.fill("#amount-other", "1")
    press(page, "button:has-text('Continue')")
    assert page.title().startswith("Error: ")
    assert "The least you can give this way is" in page.inner_text(".problem")
    assert page.input_value("#amount-other") == "1"
    assert page.is_checked("[name=frequency][value=year]")
    page.fill("#amount-other", "72.50")
    press(page, "button:has-text('Continue')")

    page.fill("#email", "olena@")
    page.fill("#name", "Олена Коваль")
    press(page, "#give")
    assert page.title().startswith("Error: ")
    assert (page.input_value("#email"), page.input_value("#name")) == ("olena@", "Олена Коваль")
    page.fill("#email", "olena@example.org")
    press(page, "#give")

    assert page.inner_text(".total") == "72.50 EUR a year"
    stage.stripe.fail("500", times=100, method="GET", path="/v1/checkout")
    press(page, ".button.wide")
    assert page.get_attribute("main", "data-state") == "checking"
    stage.stripe.clear_faults()
    stage.settle_down()
    press(page, "text=Check again")
    assert page.get_attribute("main", "data-state") == "paid"
    assert "€72.50" in page.inner_text("aside")
    payment = Payment.objects.get()
    assert (payment.amount, payment.frequency, payment.currency) == (7250, "year", "EUR")
    assert Checkout.objects.count() == 1


def test_the_amounts_usual_for_another_frequency_are_a_link_away(open_page: Opener) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/support/")
    page.check("[name=frequency][value=once]")
    press(page, "text=Amounts usual for a single gift")
    assert page.is_checked("[name=frequency][value=once]")
    assert page.inner_text(".amounts .choice >> nth=1") == "€25"


def test_the_page_looks_again_by_itself(open_page: Opener, stage: Stage) -> None:
    page = open_page(java_script_enabled=False)
    waits = stage.give("once", amount="25")
    page.goto(return_page(waits))
    assert page.locator("noscript meta").get_attribute("content").startswith("5; url=")
