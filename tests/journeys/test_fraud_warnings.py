"""A card's issuer suspects fraud: staff get a case, and one press sends the money back before a dispute costs more."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from payments.models import Case, Payment, RefundRequest, StripeEvent, Subscription
from tests import colleagues
from tests.stage import Stage

pytestmark = pytest.mark.django_db


def press(case: Case) -> str:
    """Staff press the button on the case's page and confirm; what the page says then."""
    desk = Client()
    colleagues.sign_in(desk)
    page = desk.get(f"/admin/payments/case/{case.pk}/change/", follow=True).content.decode()
    assert "Send the money back" in page
    act = f"/admin/payments/case/{case.pk}/refund-warned/"
    assert "checked" in desk.get(act).content.decode(), "there is one payment to choose"
    answers = {"which": str(Payment.objects.get().pk), "sentence": ""}
    confirm = desk.post(act, answers).content.decode()
    request_id = re.search(r'name="request_id" value="([^"]+)"', confirm)
    assert request_id
    desk.post(act, {**answers, "request_id": request_id[1]})
    return confirm


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_the_money_goes_back_in_one_press_and_the_gift_stops(stage: Stage, frequency: str) -> None:
    stage.join(frequency, amount="10")
    payment = Payment.objects.get()
    stage.stripe.warn_of_fraud(payment.stripe_charge_id)
    stage.settle_down()
    case = Case.objects.get()
    assert (case.kind, case.supporter) == ("fraud_warning", payment.supporter)
    assert case.facts == {"payments": [payment.pk], "reason": "made_with_stolen_card"}
    confirm = press(case)
    assert ("The regular gift is stopped" in confirm) == (frequency == "month")
    stage.settle_down()
    assert Payment.objects.get().is_fully_refunded
    assert RefundRequest.objects.get().reason == "fraudulent"
    case.refresh_from_db()
    assert case.settled_at
    assert not Subscription.objects.alive().exists()
    stage.sleep(40)
    assert Payment.objects.count() == 1
    assert stage.books()["broken"] == []


def test_a_warning_that_comes_before_its_payment_brings_it_along(stage: Stage) -> None:
    stage.pay(stage.give("once", amount="10"))
    stage.stripe.outbox()
    (charge,) = stage.stripe.world.store.all("charge")
    stage.stripe.warn_of_fraud(charge["id"])
    stage.settle_down()
    assert Case.objects.get().facts["payments"] == [Payment.objects.get().pk]


@pytest.mark.parametrize("how", ["refunded", "disputed"])
def test_what_went_back_already_opens_no_case(stage: Stage, how: str) -> None:
    stage.join("once", amount="10")
    payment = Payment.objects.get()
    if how == "refunded":
        stage.stripe.refund(payment.stripe_payment_intent_id)
    else:
        stage.stripe.dispute(payment.stripe_payment_intent_id)
    stage.settle_down()
    stage.stripe.warn_of_fraud(payment.stripe_charge_id)
    stage.settle_down()
    assert not Case.objects.filter(kind="fraud_warning").exists()


def test_a_warning_about_a_payment_of_other_software_is_foreign(stage: Stage) -> None:
    warning = {"id": "issfr_1", "object": "radar.early_fraud_warning", "charge": None, "fraud_type": "misc"}
    told = {"id": "evt_w", "object": "event", "type": "radar.early_fraud_warning.created", "livemode": False}
    assert stage.post({**told, "created": 1_800_000_000, "data": {"object": warning}}) == 200
    stage.work()
    assert StripeEvent.objects.get().state == "foreign"
    assert not Case.objects.exists()
