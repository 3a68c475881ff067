"""Stopping one of two regular gifts from its case: what goes back is what the page showed, never a month before it."""

from __future__ import annotations

import pytest
from django.test import Client

from payments import refund_requests
from payments.models import Case, Payment, RefundRequest, Subscription
from tests import factories
from tests.journeys.test_duplicates import act, at_desk, confirming
from tests.stage import Stage

SEPA = "DE89370400440532013000"


@pytest.fixture
def desk(db: None) -> Client:
    return at_desk(factories.staff())


def second_of(stage: Stage, **first: str) -> tuple[Case, Subscription]:
    """A monthly gift, and a second one after its second payment was due; the first is the one to stop."""
    stage.join("month", amount="10", **first)
    stage.sleep(32)
    stage.join("month", amount="20")
    case = Case.objects.get(kind="duplicate_subscription")
    return case, Subscription.objects.order_by("pk")[0]


def test_a_colleague_who_sends_the_shown_payment_back_first(stage: Stage, desk: Client) -> None:
    case, first = second_of(stage)
    old, new = Payment.objects.filter(subscription=first).order_by("pk")
    page, sent = confirming(desk, case, "stop-one", first.pk)
    assert "€10.00 is on its way back to you." in page
    refund_requests.request_refund(new, 1000, "requested_by_customer", factories.staff("petro"))
    stage.settle_down()
    told = desk.post(act(case, "stop-one"), sent).content.decode()
    assert "Meanwhile its last payment came, failed or went back. Nothing was done" in told
    first.refresh_from_db()
    assert not first.is_ending_or_asked_to

    page, sent = confirming(desk, case, "stop-one", first.pk)
    assert "Nothing of its payments is left to refund." in page
    desk.post(act(case, "stop-one"), sent)
    stage.settle_down()
    for row in (first, old, new):
        row.refresh_from_db()
    assert first.status == "canceled", "its money went back, so no paid time is left"
    assert (old.refunded_amount, new.refunded_amount) == (0, 1000)
    assert stage.books()["broken"] == []


def test_of_the_shown_payment_less_is_left_meanwhile(stage: Stage, desk: Client) -> None:
    case, first = second_of(stage)
    _page, sent = confirming(desk, case, "stop-one", first.pk)
    new = Payment.objects.filter(subscription=first).latest("pk")
    refund_requests.request_refund(new, 400, "requested_by_customer", factories.staff("petro"))
    stage.settle_down()
    assert "Nothing was done" in desk.post(act(case, "stop-one"), sent).content.decode()
    page, sent = confirming(desk, case, "stop-one", first.pk)
    assert "€6.00 is on its way back to you." in page
    desk.post(act(case, "stop-one"), sent)
    assert list(new.refund_requests.order_by("pk").values_list("amount", flat=True)) == [400, 600]


def test_one_whose_card_failed_keeps_the_month_before(stage: Stage, desk: Client) -> None:
    case, first = second_of(stage, card="4000000000000341")
    assert first.status == "past_due"
    page, sent = confirming(desk, case, "stop-one", first.pk)
    assert "Nothing of its payments is left to refund." in page
    desk.post(act(case, "stop-one"), sent)
    stage.settle_down()
    first.refresh_from_db()
    case.refresh_from_db()
    assert (first.status, case.note) == ("canceled", f"Stopped subscription {first}. There was nothing to refund.")
    assert not RefundRequest.objects.exists()


def test_a_debit_with_the_bank_goes_back_and_not_the_month_before(stage: Stage, desk: Client) -> None:
    stage.join("month", amount="10", iban=SEPA)
    stage.advance(32)
    coming = Payment.objects.get(status="processing")
    stage.join("month", amount="20")
    case, first = Case.objects.get(kind="duplicate_subscription"), coming.subscription
    assert first
    page, sent = confirming(desk, case, "stop-one", first.pk)
    assert "€10.00 is still with the bank." in page
    assert "on its way back" not in page
    desk.post(act(case, "stop-one"), sent)
    coming.refresh_from_db()
    assert coming.goes_back
    assert not RefundRequest.objects.exists()
