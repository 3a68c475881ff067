"""Money goes back: by staff, at Stripe's dashboard, by itself after a stop. Asked once, told once, in the books."""

from __future__ import annotations

from datetime import timedelta

import pytest

from members import clock
from members.models import Message
from payments.books import refund_requests
from payments.errors import NothingToRefund, StripeUnavailable
from payments.models import Case, LedgerEntry, Payment, Refund, RefundRequest, Subscription
from payments.recurring import changes, unanswered
from tests import factories
from tests.payments.reader_links import press
from tests.stage import Stage


def told() -> list[Message]:
    return list(Message.objects.filter(kind="refund_done").order_by("pk"))


def sent_back(stage: Stage) -> int:
    """What Stripe's own refunds come to, minor units."""
    gone = [event["data"]["object"]["amount"] for event in stage.stripe.events("refund.created")]
    return sum(gone)


def test_a_part_and_then_the_rest(stage: Stage) -> None:
    stage.join("once", amount="25")
    payment, marta = Payment.objects.get(), factories.staff("marta")
    refund_requests.request_refund(payment, 1000, "requested_by_customer", marta, "You were right about the amount.")
    stage.settle_down()
    request = RefundRequest.objects.get()
    assert (request.state, request.stripe_refund_id) == ("seen", Refund.objects.get().stripe_refund_id)
    assert "€10.00 is on its way back to you." in stage.last_mail()
    assert "This is a part of the €25.00 that arrived on" in stage.last_mail()
    assert "You were right about the amount." in stage.last_mail()

    refund_requests.request_refund(payment, 1500, "duplicate", marta)
    stage.settle_down()
    payment.refresh_from_db()
    assert payment.is_fully_refunded
    assert stage.subjects()[1:] == ["€10.00 is on its way back", "€15.00 is on its way back"]
    with pytest.raises(NothingToRefund):
        refund_requests.request_refund(payment, 1, "duplicate", marta)
    books = stage.books()
    assert books["broken"] == []
    assert (books["currencies"]["EUR"]["gross"], books["currencies"]["EUR"]["refunds"]) == (2500, 2500)


def test_all_of_it_in_one_go(stage: Stage) -> None:
    stage.join("once", amount="25")
    refund_requests.request_refund(Payment.objects.get(), 2500, "fraudulent", None)
    stage.settle_down()
    assert "This is all of the gift that arrived on" in stage.last_mail()
    assert stage.stripe.events("refund.created")[0]["data"]["object"]["reason"] == "fraudulent"


def test_a_bank_debit_goes_back_to_the_account(stage: Stage) -> None:
    stage.join("once", amount="25", iban="DE89370400440532013000")
    stage.advance(8)
    payment = Payment.objects.get(status="succeeded")
    refund_requests.request_refund(payment, 2500, "requested_by_customer", None)
    stage.settle_down()
    assert (Refund.objects.get().status, len(told())) == ("pending", 1)
    assert "to your account ending 3000" in stage.last_mail()
    stage.advance(8)
    assert (Refund.objects.get().status, len(told())) == ("succeeded", 1)
    assert stage.books()["broken"] == []


def test_one_made_at_the_dashboard_is_told_too(stage: Stage) -> None:
    stage.join("once", amount="25")
    stage.stripe.refund(Payment.objects.get().stripe_payment_intent_id, 1000)
    stage.settle_down()
    assert stage.subjects()[1:] == ["€10.00 is on its way back"]
    assert not RefundRequest.objects.exists()


def test_one_that_fails_later_is_shown_to_staff_and_can_be_tried_again(stage: Stage) -> None:
    stage.join("once", amount="25")
    payment = Payment.objects.get()
    request = refund_requests.request_refund(payment, 2500, "requested_by_customer", None)
    stage.settle_down()
    stage.stripe.fail_refund(request.stripe_refund_id)
    stage.settle_down()
    assert Case.objects.get().kind == "refund_failed"
    assert len(told()) == 1
    payment.refresh_from_db()
    assert refund_requests.left(payment) == 2500
    refund_requests.request_refund(payment, 2500, "requested_by_customer", None)
    stage.settle_down()
    payment.refresh_from_db()
    assert payment.is_fully_refunded
    lines = LedgerEntry.objects.exclude(kind="settlement").values_list("amount", flat=True)
    assert sorted(lines) == [-2500, -2500, 2500, 2500]
    assert stage.books()["broken"] == []


def test_stripe_s_event_before_stripe_s_answer(stage: Stage) -> None:
    """The refund is made, the answer is lost, and its event comes before anybody asks again."""
    stage.join("once", amount="25")
    stage.stripe.fail("commit_then_drop", times=2, path="/v1/refunds", method="POST")
    with pytest.raises(StripeUnavailable):
        refund_requests.request_refund(Payment.objects.get(), 1000, "duplicate", None)
    stage.settle_down()
    assert RefundRequest.objects.get().state == "seen"
    clock.move(timedelta(minutes=5))
    assert unanswered.retry() == 0
    assert sent_back(stage) == 1000


def test_who_goes_on_giving_is_told_how_to_stop(stage: Stage) -> None:
    stage.join("month", amount="10")
    refund_requests.request_refund(Payment.objects.get(), 1000, "requested_by_customer", None)
    stage.settle_down()
    assert "Your regular gift goes on as before." in stage.last_mail()
    assert "/stop/" in stage.last_mail()


def test_who_rests_is_told_how_to_stop_and_not_that_it_goes_on(stage: Stage) -> None:
    stage.join("month", amount="10")
    press(stage, "pause")
    stage.stripe.refund(Payment.objects.get().stripe_charge_id)
    stage.settle_down()
    assert "is on its way back to you." in stage.last_mail()
    assert "goes on as before" not in stage.last_mail()
    assert "/stop/" in stage.last_mail()


# Money that comes after a stop


def lost_stop(stage: Stage) -> None:
    """A patron stops on the day before the renewal, and Stripe does not hear of it."""
    stage.join("month", amount="10")
    stage.sleep_until(Subscription.objects.get().renews_on - timedelta(days=1))
    stage.stripe.fail("drop", times=2, path="/v1/subscriptions", method="POST")
    with pytest.raises(StripeUnavailable):
        changes.request_stop(Subscription.objects.get(), "mail")
    stage.stripe.clear_faults()


def let_stripe_charge(stage: Stage) -> None:
    """Two days at Stripe; its events wait."""
    clock.move(timedelta(days=2))
    stage.stripe.advance(days=2)


def ask_again(stage: Stage) -> None:
    clock.move(timedelta(minutes=3))
    stage.stripe.advance(seconds=180)
    unanswered.retry()


@pytest.mark.parametrize("first", ["the charge", "the stop"])
def test_a_renewal_charged_after_the_stop_goes_back_once_whichever_is_told_first(stage: Stage, first: str) -> None:
    lost_stop(stage)
    let_stripe_charge(stage)
    charged = stage.stripe.outbox()
    ask_again(stage)
    events = stage.stripe.outbox()
    later = [event for event in events if event["id"] not in {each["id"] for each in charged}]
    for batch in (charged, later) if first == "the charge" else (later, charged):
        stage.stripe.deliver(batch)
        stage.work()
    assert Subscription.objects.get().is_stopping
    owed = RefundRequest.objects.get()
    assert (owed.amount, owed.state, owed.actor) == (1000, "requested", None)

    ask_again(stage)
    ask_again(stage)
    stage.settle_down()
    renewal = Payment.objects.get(checkout=None)
    assert (renewal.refunded_amount, sent_back(stage)) == (1000, 1000)
    assert Payment.objects.get(refunded_amount=0).checkout, "the gift before the stop stays"
    (letter,) = told()
    assert "You had asked us to stop before this payment was taken" in letter.body_text
    assert "goes on" not in letter.body_text
    assert stage.books()["broken"] == []
    stage.sleep(40)
    assert Payment.objects.count() == 2, "at most one further charge"


@pytest.mark.parametrize("first", ["the charge", "the stop"])
def test_a_renewal_charged_before_the_stop_stays(stage: Stage, first: str) -> None:
    stage.join("month", amount="10")
    stage.sleep_until(Subscription.objects.get().renews_on - timedelta(days=1))
    let_stripe_charge(stage)
    charged = stage.stripe.outbox()
    changes.request_stop(Subscription.objects.get(), "mail")
    later = [event for event in stage.stripe.outbox() if event not in charged]
    for batch in (charged, later) if first == "the charge" else (later, charged):
        stage.stripe.deliver(batch)
        stage.work()
    assert Payment.objects.filter(status="succeeded").count() == 2
    assert not RefundRequest.objects.exists()


def test_a_debit_begun_before_the_stop_that_arrives_after_it_stays(stage: Stage) -> None:
    stage.join("month", amount="10", iban="DE89370400440532013000")
    stage.advance(8)
    stage.advance_to(Subscription.objects.get().renews_on + timedelta(days=1))
    assert len(stage.stripe.events("charge.pending")) == 2
    assert Payment.objects.filter(status="succeeded").count() == 1
    assert Payment.objects.filter(status="processing").count() == 1
    changes.request_stop(Subscription.objects.get(), "mail")
    stage.advance(10)
    assert Payment.objects.filter(status="succeeded").count() == 2
    assert not RefundRequest.objects.exists()
