"""Stopping one of two regular gifts from its case: what goes back is what the page showed, never a month before it."""

from __future__ import annotations

import uuid
from functools import partial

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from payments.books import refund_requests
from payments.desk.acts.duplicates import StopOneAndRefund
from payments.errors import NothingToRefund
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


# Pressed twice


def with_nothing_left(stage: Stage) -> tuple[Case, Subscription]:
    """Two gifts; the second one's money went back at Stripe, so that only its stop is left to do."""
    stage.join("month", amount="10")
    stage.join("month", amount="20")
    second = Subscription.objects.latest("pk")
    stage.stripe.refund(Payment.objects.get(subscription=second).stripe_payment_intent_id)
    stage.settle_down()
    return Case.objects.get(), second


def test_a_second_press_tells_what_the_first_one_did(stage: Stage, desk: Client) -> None:
    case, second = with_nothing_left(stage)
    _page, sent = confirming(desk, case, "stop-one", second.pk)
    for _ in range(2):
        told = desk.post(act(case, "stop-one"), sent, follow=True).content.decode()
        assert "The case is settled, and Stripe was asked to stop it." in told
        assert "Nothing was done" not in told
    assert second.changes.count() == 1
    assert LogEntry.objects.count() == 1


def test_another_page_of_the_same_case_is_told_that_it_did_nothing(stage: Stage, desk: Client) -> None:
    case, second = with_nothing_left(stage)
    (_page, hers), (_page, his) = (confirming(desk, case, "stop-one", second.pk) for _ in range(2))
    desk.post(act(case, "stop-one"), hers)
    assert "Nothing was done" in desk.post(act(case, "stop-one"), his, follow=True).content.decode()


@pytest.mark.parametrize("has_money", [True, False])
def test_two_presses_at_the_same_moment_are_one_act(stage: Stage, has_money: bool) -> None:
    """The second had read the case before the first one settled it."""
    if has_money:
        stage.join("month", amount="10")
        stage.join("month", amount="20")
        case, second = Case.objects.get(), Subscription.objects.latest("pk")
        shown = f"{Payment.objects.get(subscription=second).pk}:2000"
    else:
        (case, second), shown = with_nothing_left(stage), "nothing"
    answers = {"which": str(second.pk), "sentence": "", "request_id": uuid.uuid4(), "shown": shown}
    press = partial(StopOneAndRefund().perform, case, answers, factories.staff())
    assert press() == press()
    with pytest.raises(NothingToRefund):
        StopOneAndRefund().perform(case, {**answers, "request_id": uuid.uuid4()}, factories.staff("petro"))
    assert second.changes.count() == 1


def test_what_stripe_refused_is_told_again_and_remembered(stage: Stage, desk: Client) -> None:
    stage.join("month", amount="10")
    stage.join("month", amount="20")
    case, second = Case.objects.get(), Subscription.objects.latest("pk")
    _page, sent = confirming(desk, case, "stop-one", second.pk)
    stage.stripe.refund(Payment.objects.get(subscription=second).stripe_payment_intent_id)
    for _ in range(2):
        told = desk.post(act(case, "stop-one"), sent, follow=True).content.decode()
        assert "Stripe refused to send money back. The case is settled" in told
    assert LogEntry.objects.get().change_message == "stop-one"
