"""Sending money back at the desk in a real Chromium: every page of it looked at, and all of it without script."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from payments.models import Case, Payment
from tests import factories
from tests.browser.conftest import Opener
from tests.browser.eye import Eye
from tests.browser.hands import press
from tests.browser.test_desk import sign_in
from tests.stage import Stage

pytestmark = pytest.mark.browser


def address(row: Payment | Case, name: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])


def test_every_page_on_the_way_can_be_read_by_everybody(stage: Stage, open_page: Opener) -> None:
    factories.staff()
    stage.join("month", amount="10")
    stage.join("month", amount="20")
    eye = Eye(sign_in(open_page()))
    page = eye.page
    payment, case = Payment.objects.earliest("pk"), Case.objects.get()
    page.goto(address(payment, "send-back"))
    eye.look("sending back", at_a_desk=True)
    page.fill("[name=amount]", "1000")
    press(page, "form.asked button.first")
    eye.look("sending back: too much")
    page.fill("[name=amount]", "4.50")
    page.fill("[name=sentence]", "You wrote that ten were too many this month, so here is a part of it.")
    press(page, "form.asked button.first")
    eye.look("sending back: confirmed", at_a_desk=True)
    press(page, "button[name=request_id]")
    eye.look("payment: money asked back")

    page.goto(address(case, "stop-one"))
    eye.look("stopping one")
    page.check("[name=which] >> nth=1")
    press(page, "form.asked button.first")
    eye.look("stopping one: confirmed", at_a_desk=True)
    press(page, "button[name=request_id]")
    eye.look("case: settled")
    assert eye.found == []


def test_it_needs_no_script(stage: Stage, open_page: Opener) -> None:
    factories.staff()
    stage.join("once", amount="25")
    page: Page = sign_in(open_page(java_script_enabled=False))
    payment = Payment.objects.get()
    page.goto(address(payment, "change"))
    press(page, "text=Send money back")
    page.fill("[name=amount]", "7.50")
    page.uncheck("[name=tells_supporter]")
    press(page, "form.asked button.first")
    press(page, "button[name=back]")
    assert page.input_value("[name=amount]") == "7.50"
    assert not page.is_checked("[name=tells_supporter]")
    page.check("[name=tells_supporter]")
    press(page, "form.asked button.first")
    assert "€7.50 is on its way back to you." in page.inner_text("pre")
    press(page, "button[name=request_id]")
    assert "Stripe was asked to send it back." in page.inner_text(".messagelist")
    stage.settle_down()
    payment.refresh_from_db()
    assert payment.refunded_amount == 750
