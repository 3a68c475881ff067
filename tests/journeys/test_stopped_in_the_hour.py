"""A stop within the hour in which a renewal's invoice is a draft ends the gift with the time that was paid for."""

from __future__ import annotations

from datetime import timedelta

from members import clock
from payments.models import Case, Payment, Subscription, UnpaidInvoice
from payments.recurring import changes, unanswered
from tests.journeys.letters import kinds, words
from tests.journeys.test_near_a_renewal import in_the_hour, later, page, pressed, received
from tests.payments.reader_links import FAILS, at_stripe, press
from tests.payments.test_stripe_requests import wait
from tests.stage import Stage


def test_a_stop_ends_with_what_was_paid_for(stage: Stage) -> None:
    """The new month is not paid, so no page or letter speaks of time until its end, and nothing can be taken back."""
    in_the_hour(stage)
    ask = page(stage)
    assert "It stops at once. We confirm by email." in ask
    assert "you can undo it" not in ask
    paid_through = clock.today()
    answer = pressed(stage, "stop")
    assert 'data-state="ended"' in answer
    assert "Keep my support after all" not in answer
    assert "Start again" in answer
    stage.settle_down()
    row = Subscription.objects.get()
    assert row.membership is not None
    assert (row.status, row.ended_at and clock.day_of(row.ended_at)) == ("canceled", clock.today())
    assert (row.membership.paid_through, row.membership.ended_on) == (paid_through, paid_through + timedelta(days=1))
    assert "Take it back" not in words("cancelled")
    assert press(stage, "keep") == "done"
    stage.sleep(40)
    assert kinds().count("cancelled") == 1
    assert "ended" not in kinds()
    assert received() == [1000]
    assert not Case.objects.exists()
    assert stage.books()["broken"] == []


def test_a_stop_of_one_gift_leaves_the_bills_of_another(stage: Stage) -> None:
    """The end at once stops the collection of all open invoices of the customer: the other's goes on."""
    stage.join("month", amount="20", card=FAILS, form_key="besides")
    stage.sleep(33)
    other = Payment.objects.get(status="failed")
    stage.join("month", amount="10", email="olena@example.org")
    second, first = Subscription.objects.order_by("pk")
    with stage.stripe.world.transaction():
        for kind in ("subscription", "payment_method"):
            for document in stage.stripe.world.store.where(kind, customer=first.stripe_customer_id):
                stage.stripe.world.update(document, customer=second.stripe_customer_id)
    Subscription.objects.update(stripe_customer_id=second.stripe_customer_id)
    stage.sleep_until(Subscription.objects.get(pk=first.pk).renews_on - timedelta(days=1))
    stage.sleep_into_the_hour()
    while not UnpaidInvoice.objects.filter(subscription=first).exists():
        stage.sleep_into_the_hour()
    before = stage.stripe.get(other.stripe_invoice_id)["auto_advance"]
    changes.request_stop(first, "mail")
    assert Subscription.objects.get(pk=first.pk).changes.get().at_once
    assert stage.stripe.get(other.stripe_invoice_id)["auto_advance"] == before


def test_a_stop_in_the_hour_whose_answers_are_lost(stage: Stage) -> None:
    """Whatever was lost between the stop, the end and the voiding of the bill, the next try goes on from there."""
    invoice = in_the_hour(stage)
    stage.stripe.fail("commit_then_drop", times=9, path="/v1/subscriptions", method="DELETE")
    press(stage, "stop")
    stage.stripe.clear_faults()
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    assert stage.stripe.get(invoice)["status"] == "void"
    assert at_stripe()["status"] == "canceled"
    later(stage)
    assert received() == [1000]
    assert kinds().count("cancelled") == 1
    assert "ended" not in kinds()
