"""The pages behind letters' links and the one that mails them, in each of their states, and the way to Stripe's page.

A button that leads to Stripe is pressed: Chromium refuses the 303 when the policy for forms does not name its host.
"""

from __future__ import annotations

import pytest

from members.links import signed
from payments.models import Payment, Subscription
from tests.browser import places
from tests.browser.conftest import Opener
from tests.browser.eye import Eye
from tests.browser.hands import press
from tests.stage import Stage

pytestmark = pytest.mark.browser

REFUSES, ASKS = "4000000000000341", "4000002760003184"


def method_page() -> str:
    return f"/method/{signed.sign('method', str(Subscription.objects.get().public_id))}/"


def fall_behind(stage: Stage, card: str) -> Payment:
    stage.pay(stage.give("month", amount="10"), card=card, authenticate=True)
    stage.settle_down()
    stage.sleep(33)
    return Payment.objects.get(status="failed")


def test_pausing_lowering_and_undoing(open_page: Opener, stage: Stage) -> None:
    stage.join("month", amount="10")
    eye = Eye(open_page())
    for button, state in (("#lower", "lowered"), ("#pause", "paused"), ("#keep", "kept")):
        if state != "kept":
            eye.page.goto(places.stop_page())
        press(eye.page, button)
        assert eye.page.get_attribute("main", "data-state") == state
        eye.look(f"stop {state}", at_a_desk=True)
        stage.settle_down()
    assert eye.found == []


def test_changing_the_card_on_stripe_s_page_and_back(open_page: Opener, stage: Stage) -> None:
    fall_behind(stage, REFUSES)
    eye = Eye(open_page())
    eye.page.goto(method_page())
    eye.look("method", at_a_desk=True)
    press(eye.page, ".button.wide")
    assert eye.page.url.startswith(f"{stage.stripe.base_url}/portal/")
    eye.look("stripe portal", at_a_desk=True)
    eye.page.fill("#card_number", "5555555555554444")
    press(eye.page, "[value=method].button")
    assert eye.page.get_attribute("main", "data-state") == "checking"
    eye.look("method checking")
    stage.settle_down()
    eye.page.reload()
    assert eye.page.get_attribute("main", "data-state") == "paid"
    eye.look("method paid", at_a_desk=True)
    assert eye.found == []


def test_confirming_with_the_bank(open_page: Opener, stage: Stage) -> None:
    payment = fall_behind(stage, ASKS)
    address = f"/confirm/{signed.sign('confirm', str(payment.public_id))}/"
    eye = Eye(open_page())
    eye.page.goto(address)
    eye.look("confirm", at_a_desk=True)
    press(eye.page, ".button.wide")
    assert eye.page.url.startswith(f"{stage.stripe.base_url}/invoices/")
    eye.look("stripe invoice")
    press(eye.page, "main .button")
    eye.look("stripe invoice paid")
    stage.settle_down()
    eye.page.goto(address)
    assert eye.page.get_attribute("main", "data-state") == "paid"
    eye.look("confirm paid")
    assert eye.found == []


def test_asking_for_the_links(open_page: Opener) -> None:
    eye = Eye(open_page())
    eye.page.goto("/support/manage/")
    eye.look("manage", at_a_desk=True)
    press(eye.page, ".button.wide")
    assert eye.page.get_attribute("#email", "aria-invalid") == "true"
    eye.look("manage wrong")
    eye.page.fill("#email", "olena@gmial.com")
    eye.page.keyboard.press("Tab")
    assert eye.page.inner_text("#email-likely") == "Did you mean olena@gmail.com?"
    eye.page.fill("#email", "olena@example.org")
    press(eye.page, ".button.wide")
    assert eye.page.get_attribute("main", "data-state") == "sent"
    eye.look("manage sent", at_a_desk=True)
    assert eye.found == []
