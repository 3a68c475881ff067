"""The page to confirm a payment with the bank, and rules for every page behind an email's link."""

from __future__ import annotations

import logging
import re

import pytest
from django.test import Client

from members.links import signed
from members.models import Message
from payments.models import (
    Payment,
    Subscription,
)
from project.log_lines import WithoutTokens
from tests.payments.reader_links import (
    ASKS,
    confirm_page,
    fall_behind,
    press,
    rows,
    state_of,
    stop_page,
)
from tests.stage import Stage

pytestmark = pytest.mark.django_db


# Confirm with the bank


def test_confirming_leads_to_the_invoice_at_stripe(stage: Stage) -> None:
    payment = fall_behind(stage, ASKS)
    before = rows()
    for _ in range(50):
        page = stage.client.get(confirm_page(payment))
    assert (state_of(page.content), page.content.decode().count("<button"), rows()) == ("ask", 1, before)
    answer = stage.client.post(confirm_page(payment))
    assert answer.status_code == 303
    assert answer["Location"] == f"{stage.stripe.base_url}/invoices/{payment.stripe_invoice_id}"
    stage.stripe.pay_invoice(payment.stripe_invoice_id)
    assert state_of(stage.client.post(confirm_page(payment)).content) == "paid", "read fresh, before any event"
    stage.settle_down()
    assert state_of(stage.client.get(confirm_page(payment)).content) == "paid"
    assert Payment.objects.filter(status="succeeded").count() == 2


def test_an_invoice_that_is_no_longer_wanted_is_said(stage: Stage) -> None:
    payment = fall_behind(stage, ASKS)
    stage.stripe.cancel(Subscription.objects.get().stripe_subscription_id)
    Payment.objects.filter(pk=payment.pk).update(stripe_invoice_id="in_unknown")
    assert state_of(stage.client.post(confirm_page(payment)).content) == "over"


def test_confirming_while_stripe_is_away(stage: Stage) -> None:
    payment = fall_behind(stage, ASKS)
    stage.stripe.fail("drop", times=5, path="/v1/invoices")
    answer = stage.client.post(confirm_page(payment))
    assert (answer.status_code, state_of(answer.content)) == (503, "unavailable")
    assert "Confirm with your bank" in answer.content.decode()


def test_a_payment_of_a_gift_that_was_stopped_leads_to_no_invoice(stage: Stage) -> None:
    """Nothing is charged after "Nothing more will be charged", also not by whoever follows an older email."""
    payment = fall_behind(stage, ASKS)
    press(stage, "stop")
    stage.settle_down()
    assert stage.stripe.world.store.get("invoice", payment.stripe_invoice_id)["status"] == "void"
    for call in (stage.client.get, stage.client.post):
        assert state_of(call(confirm_page(payment)).content) == "over"


def test_a_stop_that_stripe_has_not_answered_is_enough(stage: Stage) -> None:
    payment = fall_behind(stage, ASKS)
    stage.stripe.fail("drop", times=20, path="/v1/subscriptions", method="DELETE")
    stage.client.post(stop_page(), {"do": "stop"})
    assert Subscription.objects.get().is_alive
    for call in (stage.client.get, stage.client.post):
        assert state_of(call(confirm_page(payment)).content) == "over"


def test_a_payment_of_a_gift_that_ended_unpaid_leads_to_no_invoice(stage: Stage) -> None:
    """Its supporter was emailed that they owe nothing."""
    stage.stripe.world.policy.retry_days = (3, 7, 15)
    payment = fall_behind(stage, ASKS)
    stage.sleep(20)
    assert Message.objects.latest("pk").kind == "ended_unpaid"
    for call in (stage.client.get, stage.client.post):
        assert state_of(call(confirm_page(payment)).content) == "over"


# Every kind of link


@pytest.mark.parametrize("purpose", ["method", "confirm", "stop"])
def test_what_is_no_link_of_ours_or_of_another_purpose_is_not_known(stage: Stage, purpose: str) -> None:
    stage.join("month", amount="10")
    subscription, payment = Subscription.objects.get(), Payment.objects.get()
    value = str(payment.public_id if purpose == "confirm" else subscription.public_id)
    others = [signed.sign(other, value) for other in ("stop", "method", "confirm", "return") if other != purpose]
    good = signed.sign(purpose, value)
    rubbish = ["x", good[:-1], good + "x", "%00", "..", "ї" * 40, "9" * 3000, signed.sign(purpose, "not-a-uuid")]
    strangers = [signed.sign(purpose, "00000000-0000-0000-0000-000000000000")]
    before = len(stage.stripe.requests)
    for token in (*others, *rubbish, *strangers):
        for call in (stage.client.get, stage.client.post):
            assert call(f"/{purpose}/{token}/").status_code == 404
    assert len(stage.stripe.requests) == before


@pytest.mark.parametrize("purpose", ["method", "confirm", "stop"])
def test_these_pages_tell_nobody_and_are_kept_by_nobody(stage: Stage, purpose: str) -> None:
    payment = fall_behind(stage, ASKS)
    value = str(payment.public_id if purpose == "confirm" else Subscription.objects.get().public_id)
    address = f"/{purpose}/{signed.sign(purpose, value)}/"
    answers = [stage.client.get(f"{address}?lang=uk"), stage.client.get(f"/{purpose}/x/?lang=uk")]
    if purpose == "method":
        answers += [stage.client.get(f"{address}?{how}=1&lang=uk") for how in ("back", "left")]
    for answer in answers:
        body = answer.content.decode()
        assert answer["Referrer-Policy"] == "no-referrer"
        assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
        assert not answer.cookies
        assert "Олена" not in body
        assert "olena" not in body
        assert not re.search(r'(src|action)="(https?:)?//', body)
        assert '<html lang="uk">' in body
        assert all("lang=" in link for link in re.findall(r'(?:href|action)="(/(?:support|stop|method)/[^"]*)"', body))
    assert stage.client.put(address).status_code == 405
    posted = Client(enforce_csrf_checks=True).post(address, headers={"Origin": "null"})
    assert posted.status_code in (200, 303)
    assert not posted.cookies
    assert posted["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("purpose", ["method", "confirm", "stop"])
def test_one_that_has_run_out_offers_a_fresh_one_by_mail(stage: Stage, purpose: str, settings) -> None:
    payment = fall_behind(stage, ASKS)
    value = str(payment.public_id if purpose == "confirm" else Subscription.objects.get().public_id)
    expired = signed._signer(purpose).sign(f"{value}.{signed._today().toordinal() - 1}")
    before = Message.objects.count()
    page = stage.client.get(f"/{purpose}/{expired}/")
    assert page.status_code == 410
    assert page.content.decode().count("<button") == 1
    assert stage.client.post(f"/{purpose}/{expired}/", {"do": "stop"}).status_code == 410, "only the button mails"
    assert Message.objects.count() == before
    sent = stage.client.post(f"/{purpose}/{expired}/", {"fresh": "1"})
    assert sent.status_code == 200
    assert "olena" not in sent.content.decode()
    stage.send_mail()
    letter = stage.last_mail()
    fresh = re.search(rf"http://testserver(/{purpose}/[^/\s]+/)", letter)
    assert fresh
    assert state_of(stage.client.get(fresh[1]).content) == "ask"
    assert Subscription.objects.get().is_alive


def test_no_token_of_theirs_stands_in_a_log_line() -> None:
    for purpose in ("method", "confirm", "stop"):
        token = signed.sign(purpose, "7f8ad7ae-12cd-4f0b-9a8f-000000000000")
        record = logging.LogRecord("x", logging.INFO, "", 0, '"%s" 200', (f"GET /{purpose}/{token}/?back=1",), None)
        WithoutTokens().filter(record)
        assert token not in record.getMessage()
