"""Fingers that press twice, go back, reload: one session at Stripe, one gift, one letter."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from members.models import Message
from payments.models import Checkout, Payment
from tests.browser import places
from tests.browser.conftest import Opener
from tests.browser.hands import press
from tests.stage import Stage

pytestmark = pytest.mark.browser


def fill_in(page: Page, query: str = places.MONTHLY) -> None:
    page.goto(f"/support/details/?{query}")
    page.fill("#email", "olena@example.org")
    page.fill("#name", "Олена Коваль")


def sessions(stage: Stage) -> tuple[int, int]:
    """How many we know, and how many were made at Stripe."""
    made = [each for each in stage.stripe.requests if each.method == "POST" and each.path == "/v1/checkout/sessions"]
    return Checkout.objects.count(), sum(not each.replayed for each in made)


def test_a_double_click_makes_one_session(open_page: Opener, stage: Stage) -> None:
    page = open_page()
    fill_in(page)
    page.dblclick("#give")
    expect(page).to_have_url(re.compile("/checkout/"))
    assert sessions(stage) == (1, 1)


def test_back_and_once_more_is_the_same_session(open_page: Opener, stage: Stage) -> None:
    page = open_page()
    fill_in(page)
    press(page, "#give")
    first = page.url
    page.go_back()
    assert page.input_value("#email") == "olena@example.org", "what was typed is still there"
    press(page, "#give")
    assert page.url == first
    assert sessions(stage) == (1, 1)


def test_leaving_stripe_keeps_the_choice_and_the_way_on(open_page: Opener, stage: Stage) -> None:
    page = open_page()
    fill_in(page, places.YEARLY)
    press(page, "#give")
    checkout_page = page.url
    press(page, "text=Back, without paying")
    assert page.inner_text("h1") == "Nothing was charged."
    press(page, "text=Continue with €100")
    assert page.url == checkout_page


def test_the_return_page_can_be_reloaded_and_gone_back_from(open_page: Opener, stage: Stage) -> None:
    page = open_page()
    fill_in(page, places.ONCE)
    press(page, "#give")
    press(page, ".button.wide")
    stage.settle_down()
    for _ in range(3):
        page.reload()
        stage.settle_down()
    assert page.get_attribute("main", "data-state") == "paid"
    page.go_back()
    page.goto(places.return_page(Checkout.objects.get()))
    assert "Your gift has arrived." in page.inner_text("h1")
    assert Payment.objects.count() == 1
    assert Message.objects.count() == 1


def test_a_page_that_waits_shows_the_thanks_by_itself_and_only_then_moves(open_page: Opener, stage: Stage) -> None:
    page = open_page()
    page.clock.install()
    fill_in(page)
    press(page, "#give")
    press(page, ".button.wide")
    page.locator("h1").evaluate("(heading) => { heading.dataset.old = 'yes'; }")
    page.clock.run_for(5_500)
    page.wait_for_timeout(300)
    assert page.get_attribute("h1", "data-old") == "yes", "nothing new to say, nothing moves"
    stage.settle_down()
    page.clock.run_for(5_500)
    page.wait_for_selector("[data-state=paid]")


def test_a_page_that_waits_in_vain_says_so(open_page: Opener, stage: Stage) -> None:
    waits = stage.give("once", amount="25")
    page = open_page()
    page.clock.install()
    page.goto(places.return_page(waits))
    for _ in range(7):
        page.clock.run_for(5_000)
        page.wait_for_timeout(150)
    page.wait_for_selector("h1:has-text('We do not know yet.')")


def test_script_offers_a_likely_address_and_the_amounts_of_a_frequency(open_page: Opener) -> None:
    page = open_page()
    page.goto("/support/")
    page.check("[name=frequency][value=once]")
    assert page.inner_text("button[type=submit] >> nth=0") == "Continue: €25 once"
    press(page, "button[type=submit] >> nth=0")
    page.fill("#email", "olena@gmial.com")
    page.fill("#name", "")
    assert page.inner_text("#email-likely") == "Did you mean olena@gmail.com?"
