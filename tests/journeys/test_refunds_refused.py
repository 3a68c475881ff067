"""A refund with a stop, of which Stripe refuses one or both: told as it is, however often the button is pressed."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from payments.models import Case, Payment, RefundRequest, Subscription
from tests import factories
from tests.journeys.test_duplicates import at_desk
from tests.payments.desk.test_refunding import ANSWERS, address, confirmed
from tests.stage import Stage


@pytest.fixture
def desk(db: None) -> Client:
    return at_desk(factories.staff())


def about_to_go_back(stage: Stage, desk: Client) -> tuple[Payment, dict[str, str]]:
    """A monthly gift to stop and send back, and what the button sends; meanwhile its money went back at Stripe."""
    stage.join("month", amount="10")
    payment = Payment.objects.get()
    sent = confirmed(desk.post(address(payment), {**ANSWERS, "also_stops": "on"}).content.decode())
    stage.stripe.refund(payment.stripe_payment_intent_id)
    return payment, sent


def test_a_gift_that_stops_although_no_money_went_back_is_said_and_remembered(stage: Stage, desk: Client) -> None:
    payment, sent = about_to_go_back(stage, desk)
    for _ in range(2):
        page = desk.post(address(payment), sent).content.decode()
        assert "no money went back; the regular gift stops. Stripe’s code: charge_already_refunded" in page
    assert RefundRequest.objects.get().state == "failed"
    assert LogEntry.objects.get().change_message == "send-back"
    stage.settle_down()
    assert Subscription.objects.get().is_stopping


def test_a_stop_that_stripe_refused_too_is_not_said(stage: Stage, desk: Client) -> None:
    payment, sent = about_to_go_back(stage, desk)
    stage.stripe.cancel(Subscription.objects.get().stripe_subscription_id)
    for _ in range(2):
        page = desk.post(address(payment), sent).content.decode()
        assert "Stripe refused, and no money went back." in page
        assert "Stripe’s code: charge_already_refunded" in page
        assert "stops." not in page
    assert Case.objects.get().kind == "request_refused"
    assert not LogEntry.objects.exists()
