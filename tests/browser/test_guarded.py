"""A guarded door in a real browser: its script proves, and where no script runs a link by email takes its place."""

from __future__ import annotations

import re

import pytest

from payments.models import Checkout, HeldGift
from tests.browser import places
from tests.browser.conftest import Opener
from tests.browser.eye import Eye
from tests.browser.hands import press
from tests.payments.guard.scene import guard_the_door
from tests.stage import Stage, link

pytestmark = pytest.mark.browser

DETAILS = f"/support/details/?{places.MONTHLY}"
AT_STRIPE = re.compile(r"/checkout/cs_test")


def test_the_browser_proves_and_its_reader_does_not_notice(open_page: Opener, stage: Stage) -> None:
    guard_the_door()
    page = open_page()
    page.goto(DETAILS)
    assert not page.is_visible("#by-email")
    page.fill("#email", "olena@example.org")
    page.click("#give")
    page.wait_for_url(AT_STRIPE)
    assert Checkout.objects.get().status == "open"
    page.go_back()
    page.click("#give")
    page.wait_for_url(AT_STRIPE)
    assert Checkout.objects.count() == 1


def test_a_door_that_is_guarded_meanwhile_asks_by_itself_and_goes_on(open_page: Opener, stage: Stage) -> None:
    page = open_page()
    page.goto(DETAILS)
    page.fill("#email", "olena@example.org")
    guard_the_door()
    page.click("#give")
    page.wait_for_url(AT_STRIPE)
    assert not HeldGift.objects.exists()


def test_a_browser_that_cannot_compute_asks_for_the_email(open_page: Opener, stage: Stage) -> None:
    guard_the_door()
    page = open_page()
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    page.goto(DETAILS)
    page.wait_for_selector("#by-email", state="visible")
    eye = Eye(page)
    eye.look("guarded cannot compute")
    page.fill("#email", "olena-cannot@example.org")
    press(page, "#give")
    assert "Check your inbox" in page.inner_text("h1")
    assert eye.found == []


@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_state_is_readable(open_page: Opener, stage: Stage, language: str) -> None:
    guard_the_door()
    eye = Eye(open_page())
    address = f"{DETAILS}&lang={language}"
    eye.page.goto(address)
    eye.look(f"guarded {language}", at_a_desk=True)
    blind = Eye(open_page(java_script_enabled=False))
    blind.page.goto(address)
    blind.look_whether_it_fits(f"guarded without script {language}")
    blind.page.fill("#email", f"olena-{language}@example.org")
    press(blind.page, "#give")
    blind.look_whether_it_fits(f"guarded sent {language}")
    stage.send_mail()
    eye.page.goto(link(stage.last_mail(), "/support/begin/"))
    eye.look(f"guarded begin {language}", at_a_desk=True)
    press(eye.page, ".button.wide")
    assert AT_STRIPE.search(eye.page.url)
    assert eye.found + blind.found == []
