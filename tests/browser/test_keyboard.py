"""The whole gift on the keys alone, with script and without: what has focus is always seen, the order is the page's
own, and nothing holds on to it.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from appeals.demo import make_demo_campaign
from members.models import Message
from payments.models import Payment
from tests.browser.conftest import Opener
from tests.browser.hands import enter, focused, tab_to
from tests.stage import Stage

pytestmark = pytest.mark.browser
BAR = ["Skip to the page", "The Dnipro Courier", "Українська"]


def words(stops: list[dict]) -> list[str]:
    return [stop["words"] for stop in stops]


def type_details_and_pay(page: Page) -> None:
    stops = tab_to(page, "email")
    assert words(stops) == [*BAR, "Email"]
    page.keyboard.type("olena@example.org")
    tab_to(page, "name", most=1)
    page.keyboard.type("Олена Коваль")
    tab_to(page, "Give €20 every month", most=1)
    enter(page)
    tab_to(page, "card_number")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("5555 5555 5555 4444")
    tab_to(page, "Donate 20.00 EUR a month")
    enter(page)


@pytest.mark.parametrize("has_script", [True, False])
def test_from_the_article_to_the_thanks(open_page: Opener, stage: Stage, has_script: bool) -> None:
    make_demo_campaign()
    page = open_page(java_script_enabled=has_script)
    page.goto("/demo/article/")
    stops = tab_to(page, "amount=10")
    assert words(stops) == [*BAR, "€10"], "one stop for the whole group, on what is chosen"
    page.keyboard.press("ArrowRight")
    assert focused(page)["words"] == "€20"
    assert focused(page)["checked"]
    tab_to(page, "Become a patron: €20 a month", most=1)
    enter(page)

    stage.stripe.fail("500", times=100, method="GET", path="/v1/checkout")
    type_details_and_pay(page)
    assert page.get_attribute("main", "data-state") == "checking"
    stage.stripe.clear_faults()
    stage.settle_down()
    stops = tab_to(page, "Check again")
    assert words(stops) == [*BAR, "Check again"]
    enter(page)

    assert page.inner_text("h1") == "Thank you, Олена. You are a patron now."
    assert Payment.objects.get().amount == 2000
    assert Message.objects.get().state == "sent"


def test_another_amount_every_year_by_arrows(open_page: Opener) -> None:
    page = open_page()
    page.goto("/support/")
    tab_to(page, "frequency=month")
    page.keyboard.press("ArrowRight")
    assert page.is_checked("[name=frequency][value=year]")
    tab_to(page, "amount=100", most=1)
    for value in ("200", "500", "other"):
        page.keyboard.press("ArrowDown")
        assert focused(page)["value"] == value, "arrows pass through every choice"
    tab_to(page, "other_amount", most=1)
    page.keyboard.type("60,50")
    tab_to(page, "Continue", most=1)
    page.keyboard.press("Space")
    page.wait_for_selector("[data-step=details]")
    assert "€60.50" in page.inner_text("aside")


def test_the_currency_opens_and_changes_on_the_keys(open_page: Opener) -> None:
    page = open_page()
    page.goto("/support/?frequency=once")
    tab_to(page, "Currency: euros")
    page.keyboard.press("Space")
    tab_to(page, "currency", most=1)
    page.keyboard.type("GBP")
    tab_to(page, "Change", most=1)
    enter(page)
    assert page.is_checked("[name=frequency][value=once]")
    assert page.inner_text("button[type=submit] >> nth=0").startswith("Continue: £")


def test_an_error_takes_the_focus_and_leads_to_its_field(open_page: Opener) -> None:
    page = open_page()
    page.goto("/support/details/?frequency=month&amount=10&currency=EUR")
    tab_to(page, "Give €10 every month")
    enter(page)
    assert page.title().startswith("Error: ")
    assert focused(page)["words"].startswith("There is a problem")
    tab_to(page, "Write your email address: the receipt goes there", most=1)
    page.keyboard.press("Enter")
    assert focused(page)["name"] == "email"
    described = page.get_attribute("#email", "aria-describedby") or ""
    assert "email-error" in described.split()


@pytest.mark.parametrize(
    "address", ["/demo/article/", "/support/", "/support/details/?frequency=month&amount=10&currency=EUR"]
)
def test_nothing_holds_the_focus(open_page: Opener, address: str) -> None:
    make_demo_campaign()
    page = open_page(viewport={"width": 1280, "height": 860})
    page.goto(address)
    first = tab_to(page, BAR[0], most=1)
    round_trip = tab_to(page, BAR[0])
    assert round_trip[-2]["words"] == "Write to us", "the last link of the footer comes before the first of the page"
    assert len({stop["words"] for stop in round_trip}) > 8
    page.keyboard.press("Shift+Tab")
    assert focused(page) != first
