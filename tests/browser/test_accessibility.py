"""Everybody can read and use every page in each of its states: WCAG 2.2 AA as far as axe can tell, by day and by
night, 320 px wide, and with letters twice as large.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from appeals.demo import make_demo_campaign
from members import clock
from payments.guard import marks
from payments.models import FailedTry
from tests.browser import places
from tests.browser.conftest import Opener
from tests.browser.eye import Eye
from tests.browser.hands import press
from tests.stage import Stage

pytestmark = pytest.mark.browser


def send_details(page: Page, email: str = "", name: str = "Олена Коваль", query: str = places.MONTHLY) -> None:
    page.goto(f"/support/details/?{query}")
    page.fill("#email", email)
    page.fill("#name", name)
    press(page, "#give")


def test_the_article_and_the_amounts(open_page: Opener) -> None:
    eye = Eye(open_page())
    eye.look_at([("article without an appeal", "/demo/article/")])
    make_demo_campaign()
    eye.page.goto("/demo/article/")
    eye.look("article", at_a_desk=True)
    eye.page.check("[value=other]")
    eye.look("article another amount")
    eye.look_at(places.AMOUNT)
    eye.page.goto("/support/details/")
    assert eye.page.inner_text("form button >> nth=0") == "Continue", "nothing is promised before an amount is chosen"
    eye.page.goto("/support/")
    eye.page.click("#currency summary")
    eye.look("amount currency", at_a_desk=True)
    assert eye.found == []


def test_the_details(open_page: Opener, stage: Stage, settings: Any) -> None:
    eye = Eye(open_page())
    eye.look_at(places.DETAILS)
    send_details(eye.page, "olena@")
    eye.look("details wrong", at_a_desk=True)
    send_details(eye.page, "olena@gmial.com", "x" * 200)
    eye.look("details likely")
    stage.stripe.fail("500", times=20, path="checkout/sessions")
    send_details(eye.page, "olena@example.org")
    assert "not answering" in eye.page.content()
    eye.look("details no Stripe")
    settings.CHECKOUT_LIMIT_PER_NETWORK = 0
    here = {"tried_at": clock.now(), "networks": marks.of_networks(["127.0.0.1"])}
    FailedTry.objects.bulk_create(FailedTry(key=f"ch_{number}", **here) for number in range(10))
    send_details(eye.page, "olena@example.org")
    assert "It’s not about you" in eye.page.content()
    eye.look("details held")
    eye.page.context.clear_cookies()
    press(eye.page, "#give")
    assert "once more" in eye.page.content()
    eye.look("no cookie")
    assert eye.found == []


def test_the_way_back(open_page: Opener, stage: Stage) -> None:
    pages = places.return_pages(stage)
    eye = Eye(open_page())
    eye.look_at(pages)
    assert eye.found == []


def test_pages_of_words(open_page: Opener, settings: Any) -> None:
    eye = Eye(open_page())
    eye.look_at([*places.WORDS, ("other ways without a bank", "/support/other-ways/")])
    settings.BANK_IBAN, settings.BANK_BIC = "DE89370400440532013000", "COBADEFFXXX"
    settings.OTHER_WAYS_LINKS = ["PayPal=https://example.org/paypal"]
    eye.page.goto("/support/other-ways/")
    eye.look("other ways", at_a_desk=True)
    eye.look_at(
        [
            ("other ways with amount", "/support/other-ways/?amount=25"),
            ("other ways wrong", "/support/other-ways/?amount=ten"),
        ]
    )
    assert eye.found == []


@pytest.mark.urls("tests.project.test_headers")
def test_pages_when_something_is_wrong(open_page: Opener, settings: Any, watch: Any) -> None:
    eye = Eye(open_page())
    settings.DEBUG = False
    eye.look_at([("not found", "/no/such/page/"), ("fault", "/wrong/"), ("database away", "/broken/")])
    assert eye.found == []


def test_stopping(open_page: Opener, stage: Stage) -> None:
    stage.join("month", amount="10")
    eye = Eye(open_page())
    eye.page.goto(places.stop_page())
    eye.look("stop", at_a_desk=True)
    eye.page.click("summary")
    eye.look("stop with reasons")
    stage.stripe.fail("500", times=20, path="subscriptions")
    press(eye.page, "text=Stop my support")
    assert "Not done yet" in eye.page.content()
    eye.look("stop no Stripe")
    stage.stripe.clear_faults()
    press(eye.page, "text=Stop my support")
    assert "Nothing more will be charged" in eye.page.content()
    eye.look("stopped")
    assert eye.found == []


def test_the_letters(open_page: Opener, stage: Stage) -> None:
    eye = Eye(open_page())
    eye.look_at([("mail empty", "/demo/mail/")])
    stage.join("month", amount="10")
    eye.page.goto("/demo/mail/")
    eye.look("mail", at_a_desk=True)
    press(eye.page, "td a")
    eye.look("mail letter")
    letter = eye.page.frame_locator("iframe").locator("body")
    assert "Олена" in letter.inner_text()
    eye.page.goto(eye.page.get_attribute("iframe", "src") or "")
    eye.look("letter")
    assert eye.found == []


def test_stripe_s_stand_in(open_page: Opener, stage: Stage) -> None:
    stage.join("year", amount="100")
    waiting = stage.give("month", amount="10", email="waits@example.org")
    eye = Eye(open_page())
    eye.page.goto(waiting.stripe_session_url)
    eye.look("stripe checkout", at_a_desk=True)
    eye.page.fill("#card_number", "1")
    press(eye.page, ".button.wide")
    eye.look("stripe checkout wrong")
    eye.page.fill("#card_number", "4000002500003155")
    press(eye.page, ".button.wide")
    eye.look("stripe asks the bank")
    eye.page.goto(f"{stage.stripe.base_url}/_simulator/")
    eye.look("stripe controls", at_a_desk=True)
    stage.pay(waiting)
    eye.page.goto(waiting.stripe_session_url)
    eye.look("stripe complete")
    assert eye.found == []
