"""The pages of the second factor in a real Chromium: without script, on a phone, readable by everybody."""

from __future__ import annotations

from typing import Any

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Page

from members.staff import roles
from tests import colleagues, factories
from tests.browser.conftest import Opener
from tests.browser.eye import DESK, Eye
from tests.browser.hands import press
from tests.browser.test_desk import sign_in

pytestmark = pytest.mark.browser
OWN = ["second-factor/", "second-factor/renew/", "second-factor/codes/", "sign-out-everywhere/", "auth/user/add/"]


@pytest.fixture
def required(committed: None, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True
    factories.staff()


def set_it(page: Page) -> None:
    page.fill("[name=code]", colleagues.code_of(TOTPDevice.objects.get(confirmed=False)))
    press(page, "button.first")


@pytest.mark.parametrize("language", ["en", "uk"])
def test_it_is_set_and_used_without_script_on_a_phone(required: None, open_page: Opener, language: str) -> None:
    locale = {"locale": language, "java_script_enabled": False}
    page = sign_in(open_page(viewport={"width": 360, "height": 740}, color_scheme="dark", **locale))
    assert page.locator("svg.qr").bounding_box()["width"] > 180  # type: ignore[index]
    set_it(page)
    assert page.locator(".codes li").count() == 10
    press(page, "a.first")
    assert page.url.endswith("/admin/")
    for address in OWN:
        assert page.goto(f"/admin/{address}").status == 200  # type: ignore[union-attr]
        assert page.title()


def test_the_pages_fit_and_can_be_read_by_everybody(required: None, open_page: Opener) -> None:
    eye = Eye(open_page(viewport=DESK))
    sign_in(eye.page)
    eye.axe("setting it", at_night=True)
    set_it(eye.page)
    eye.axe("the codes", at_night=True)
    press(eye.page, "a.first")
    colleague = colleagues.in_role(roles.SUPPORT)
    for address in (*OWN, f"auth/user/{colleague.pk}/role/", "members/stafflogentry/", "payments/heldrefund/"):
        eye.page.goto(f"/admin/{address}")
        eye.axe(address)
        eye.page.set_viewport_size({"width": 360, "height": 740})
        assert eye.page.evaluate("document.documentElement.scrollWidth") <= 360, address
        eye.page.set_viewport_size(DESK)
    assert eye.found == []
