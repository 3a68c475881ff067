"""The whole gift in Ukrainian: the choice goes along, every page says which language it speaks, and its words fit."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from appeals.demo import make_demo_campaign
from payments.models import Checkout
from tests.browser import places
from tests.browser.conftest import Opener
from tests.browser.eye import Eye
from tests.browser.hands import press
from tests.stage import Stage

pytestmark = pytest.mark.browser


def speaks(page: Page) -> str:
    return page.get_attribute("html", "lang") or ""


def test_the_choice_of_language_goes_all_the_way(open_page: Opener, stage: Stage) -> None:
    make_demo_campaign()
    page = open_page()
    page.goto("/demo/article/?currency=EUR")
    assert (speaks(page), page.locator(".appeal").get_attribute("lang")) == ("en", None)
    press(page, "text=Українська")
    assert speaks(page) == "uk"
    press(page, ".appeal button")
    assert speaks(page) == "uk"
    page.fill("#email", "olena@example.org")
    page.fill("#name", "Олена Коваль")
    press(page, "#give")
    press(page, ".button.wide")
    assert speaks(page) == "uk"
    stage.settle_down()
    page.reload()
    assert speaks(page) == "uk"
    assert "Олен" in page.inner_text("h1")
    assert Checkout.objects.get().language == "uk"
    assert re.search("[а-яіїєґ]{4}", stage.subjects()[0])
    page.goto(places.stop_page() + "?lang=uk")
    press(page, "button[type=submit]")
    assert (speaks(page), page.get_attribute("main", "data-state")) == ("uk", "done")


def test_the_browser_s_own_language_is_enough(open_page: Opener) -> None:
    page = open_page(locale="uk-UA")
    page.goto("/support/")
    assert speaks(page) == "uk"
    assert "₴" in page.inner_text(".amounts")
    press(page, "text=English")
    assert speaks(page) == "en"
    press(page, "form button[type=submit] >> nth=0")
    assert speaks(page) == "en"


def test_changing_the_language_keeps_what_was_chosen(open_page: Opener) -> None:
    page = open_page()
    page.goto("/support/details/?frequency=year&amount=77&currency=USD")
    press(page, "text=Українська")
    assert speaks(page) == "uk"
    assert "77" in page.inner_text("aside .total")


def test_ukrainian_words_fit(open_page: Opener, stage: Stage, settings) -> None:
    settings.BANK_IBAN = "DE89370400440532013000"
    make_demo_campaign()
    addresses = [("article", "/demo/article/"), *places.AMOUNT, *places.DETAILS, *places.WORDS]
    addresses += [("other ways", "/support/other-ways/"), *places.return_pages(stage), ("stop", places.stop_page())]
    eye = Eye(open_page())
    for name, address in addresses:
        eye.page.goto(f"{address}{'&' if '?' in address else '?'}lang=uk")
        eye.look_whether_it_fits(f"uk {name}")
        assert speaks(eye.page) == "uk"
    assert eye.found == []
