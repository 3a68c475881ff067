"""Sending money back at the desk: a form, a page that shows exactly what will happen, then one refund."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from members.models import Message, Supporter, TimelineEntry
from payments.desk.mail_as_sent import without_keys
from payments.models import Payment, RefundRequest, Subscription
from tests import colleagues, factories
from tests.stage import Stage, hidden_fields, link

pytestmark = pytest.mark.django_db
ANSWERS = {"amount": "10", "reason": "requested_by_customer", "sentence": "", "tells_supporter": "on"}


@pytest.fixture
def desk(client: Client) -> Client:
    colleagues.sign_in(client, factories.staff())
    return client


def address(row: Any, slug: str = "send-back") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{slug}", args=[row.pk])


def page_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def confirmed(html: str) -> dict[str, str]:
    """Return the fields that the button of the confirmation page sends."""
    request_id = re.search(r'name="request_id" value="([^"]+)"', html)
    assert request_id, html
    return {**carried(html), "request_id": request_id.group(1)}


def carried(html: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in hidden_fields(html).items()}


def send_back(desk: Client, payment: Payment, **answers: str) -> str:
    asked = desk.post(address(payment), {**ANSWERS, **answers}).content.decode()
    return desk.post(address(payment), confirmed(asked), follow=True).content.decode()


def test_the_form_knows_what_is_left(desk: Client) -> None:
    payment = factories.payment(amount=2500)
    factories.refund(payment, 600)
    page = desk.get(address(payment)).content.decode()
    assert 'value="19"' in page
    assert "€19.00 of this payment is still with us." in page
    assert "Also stop the regular gift" not in page
    assert address(payment) in desk.get(page_of(payment)).content.decode()


def test_the_confirming_page_shows_what_will_happen_and_the_very_letter(desk: Client, stage: Stage) -> None:
    stage.join("month", amount="10")
    payment = Payment.objects.get()
    asked = desk.post(address(payment), {**ANSWERS, "amount": "4.50", "sentence": "You wrote\n to us."})
    page = asked.content.decode()
    assert "Send €4.50 back?" in page
    assert "to Visa 4242" in page
    assert "Stripe keeps its fee of €0.39" in page
    assert "The regular gift goes on." in page
    assert "You wrote to us." in page
    assert not RefundRequest.objects.exists(), "the second page only shows"
    preview = asked.context["confirmation"].letter

    desk.post(address(payment), confirmed(page))
    stage.settle_down()
    letter = Message.objects.get(kind="refund_done")
    assert (letter.subject, without_keys(letter.body_text)) == (preview.subject, preview.text)
    stop = link(letter.body_text, "/stop/")
    assert stop not in page, "the reader's own link is not for staff"
    assert "Your regular gift goes on as before." in letter.body_text


def test_of_a_gift_that_rests_neither_page_nor_letter_says_that_it_goes_on(desk: Client) -> None:
    gift = factories.subscription(collection_paused=True)
    payment = factories.payment(gift.supporter, subscription=gift, frequency="month")
    asked = desk.post(address(payment), ANSWERS)
    assert "The regular gift is not stopped. The letter says how to stop it." in asked.content.decode()
    assert "goes on" not in asked.context["confirmation"].letter.text


def test_money_goes_back_once_however_often_the_button_is_pressed(desk: Client, stage: Stage) -> None:
    stage.join("once", amount="25")
    payment = Payment.objects.get()
    sent = confirmed(desk.post(address(payment), ANSWERS).content.decode())
    for _ in range(3):
        answer = desk.post(address(payment), sent, follow=True).content.decode()
        assert "Stripe was asked to send it back." in answer
    assert RefundRequest.objects.count() == 1
    stage.settle_down()
    payment.refresh_from_db()
    assert payment.refunded_amount == 1000
    entry = TimelineEntry.objects.get(action="payment.refund_requested")
    assert (entry.actor.username, entry.details["amount"], entry.details["currency"]) == ("marta", 1000, "EUR")
    assert LogEntry.objects.get().change_message == "send-back"


def test_two_equal_parts_are_two_wishes(desk: Client, stage: Stage) -> None:
    stage.join("once", amount="25")
    payment = Payment.objects.get()
    send_back(desk, payment)
    send_back(desk, payment)
    stage.settle_down()
    payment.refresh_from_db()
    assert payment.refunded_amount == 2000
    assert Message.objects.filter(kind="refund_done").count() == 2


def test_the_regular_gift_is_stopped_in_the_same_act(desk: Client, stage: Stage) -> None:
    stage.join("month", amount="10")
    payment = Payment.objects.get()
    shown = desk.post(address(payment), {**ANSWERS, "also_stops": "on"}).content.decode()
    assert "A second letter says so." in shown
    desk.post(address(payment), confirmed(shown))
    stage.settle_down()
    assert Subscription.objects.get().is_stopping
    kinds = set(Message.objects.values_list("kind", flat=True))
    assert kinds == {"thanks_first_recurring", "cancelled", "refund_done"}
    assert "goes on" not in Message.objects.get(kind="refund_done").body_text
    page = desk.get(page_of(payment)).content.decode()
    assert "refunded in full" in page
    assert address(payment) not in page, "nothing is left to send back"


def test_who_may_not_change_subscriptions_stops_none_by_a_refund(client: Client, stage: Stage) -> None:
    stage.join("month", amount="10")
    payment = Payment.objects.get()
    colleagues.sign_in(client, factories.staff("taras", "payments.change_payment"))
    assert 'name="also_stops"' not in client.get(address(payment)).content.decode()
    shown = client.post(address(payment), ANSWERS).content.decode()
    assert "The regular gift goes on." in shown
    for sent in (ANSWERS, confirmed(shown)):
        refused = client.post(address(payment), {**sent, "also_stops": "on"}).content.decode()
        assert "you need the right to change subscriptions" in refused
    assert not RefundRequest.objects.exists()
    client.post(address(payment), confirmed(shown))
    stage.settle_down()
    assert RefundRequest.objects.get().state == "seen"
    assert not Subscription.objects.get().is_stopping


def test_a_supporter_who_is_not_to_be_told_gets_no_letter(desk: Client, stage: Stage) -> None:
    stage.join("once", amount="25")
    payment = Payment.objects.get()
    answers = {name: value for name, value in ANSWERS.items() if name != "tells_supporter"}
    shown = desk.post(address(payment), answers).content.decode()
    assert "The supporter is not told by us." in shown
    assert "The letter to" not in shown
    desk.post(address(payment), confirmed(shown))
    stage.settle_down()
    assert RefundRequest.objects.get().state == "seen"
    assert not Message.objects.filter(kind="refund_done").exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0", "above zero and up to €25.00"),
        ("25.01", "above zero and up to €25.00"),
        ("", "required"),
        ("-5", "above zero"),
        ("ten", "in figures"),
        ("1.000", "without a separator"),
        ("1" * 41, "at most 40"),
    ],
)
def test_a_wrong_amount_is_explained_and_nothing_is_lost(desk: Client, typed: str, words: str) -> None:
    payment = factories.payment(amount=2500)
    page = desk.post(address(payment), {**ANSWERS, "amount": typed, "sentence": "A word."}).content.decode()
    assert words in page
    assert "A word." in page
    assert not RefundRequest.objects.exists()


def test_going_back_from_the_confirming_page_keeps_every_answer(desk: Client) -> None:
    payment = factories.payment(amount=2500)
    answers = {"amount": "7.50", "reason": "duplicate", "sentence": "Twice & sorry."}
    shown = desk.post(address(payment), answers).content.decode()
    page = desk.post(address(payment), {**carried(shown), "back": "yes"}).content.decode()
    assert 'value="7.50"' in page
    assert '<option value="duplicate" selected>' in page
    assert "Twice &amp; sorry." in page
    assert "checked" not in page
    assert not RefundRequest.objects.exists()


def test_without_an_answer_from_stripe_it_is_written_down_and_said(desk: Client, settings) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = "sk_test_x", "http://127.0.0.1:9"
    payment = factories.payment(amount=2500)
    answer = send_back(desk, payment)
    assert "Stripe does not answer now. Nothing is lost" in answer
    assert RefundRequest.objects.get().state == "requested"
    again = send_back(desk, payment)
    assert "An earlier refund of this payment still waits for Stripe." in again
    assert RefundRequest.objects.count() == 1


def test_what_stripe_refuses_is_said_in_words(desk: Client, stage: Stage) -> None:
    stage.join("once", amount="25")
    payment = Payment.objects.get()
    sent = confirmed(desk.post(address(payment), {**ANSWERS, "amount": "25"}).content.decode())
    stage.stripe.refund(payment.stripe_payment_intent_id, 1000)  # in the dashboard; its event has not arrived
    page = desk.post(address(payment), sent).content.decode()
    assert "Stripe refused, and no money went back." in page
    assert "Stripe refused, and no money went back." in desk.post(address(payment), sent).content.decode()
    assert RefundRequest.objects.get().state == "failed"
    stage.settle_down()
    assert desk.get(address(payment)).content.decode().count("€15.00") == 1


def test_a_payment_that_did_not_come_or_went_back_offers_nothing(desk: Client) -> None:
    failed, refunded = factories.payment(status="failed"), factories.payment()
    factories.refund(refunded, refunded.amount)
    for payment in (failed, refunded):
        assert address(payment) not in desk.get(page_of(payment)).content.decode()
        assert "Nothing was done" in desk.post(address(payment), ANSWERS, follow=True).content.decode()
    assert not RefundRequest.objects.exists()


def test_looking_is_not_sending_back(client: Client) -> None:
    colleagues.sign_in(client, factories.staff("petro", "payments.view_payment"))
    payment = factories.payment()
    assert address(payment) not in client.get(page_of(payment)).content.decode()
    assert client.get(address(payment)).status_code == 403
    assert client.post(address(payment), ANSWERS).status_code == 403


def test_who_may_change_payments_sends_money_back(client: Client) -> None:
    colleagues.sign_in(client, factories.staff("petro", "payments.change_payment"))
    payment = factories.payment()
    assert address(payment) in client.get(page_of(payment)).content.decode()
    assert client.get(address(payment)).status_code == 200


def test_a_form_from_elsewhere_is_refused() -> None:
    careful = Client(enforce_csrf_checks=True)
    colleagues.sign_in(careful, factories.staff())
    assert careful.post(address(factories.payment()), ANSWERS).status_code == 403


def test_rubbish_for_a_wish_is_no_wish(desk: Client) -> None:
    payment = factories.payment()
    page = desk.post(address(payment), {**ANSWERS, "request_id": "\0nonsense"}).content.decode()
    assert "back now" in page
    assert not RefundRequest.objects.exists()


def test_requests_are_shown_with_the_payment_the_supporter_and_by_themselves(desk: Client, settings) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = "sk_test_x", "http://127.0.0.1:9"
    payment = factories.payment(amount=2500)
    send_back(desk, payment, sentence="Sorry for that.")
    request = RefundRequest.objects.get()
    for row in (payment, Supporter.objects.get()):
        assert page_of(request) in desk.get(page_of(row)).content.decode()
    own = desk.get(page_of(request)).content.decode()
    assert "Sorry for that." in own
    assert "marta" in own
    assert "€10.00" in desk.get(reverse("admin:payments_refundrequest_changelist")).content.decode()
    assert "€10.00" in desk.get(page_of(Supporter.objects.get())).content.decode()
