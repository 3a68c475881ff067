"""An invoice that staff mark as paid at Stripe: the money came some other way, and Stripe can send none of it back."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from members import clock
from members.models import Membership, Message
from payments.books import refund_requests, settlements
from payments.models import Case, Difference, LedgerEntry, Payment, RefundRequest, Subscription
from payments.reconciling import comparison
from payments.reconciling.comparison import hourly
from stripe_simulator.life import invoicing
from tests import colleagues, factories
from tests.payments.reader_links import press
from tests.stage import Stage

FAILS = "4000000000000341"


def page_of(row: Payment) -> str:
    return reverse("admin:payments_payment_change", args=[row.pk])


def failed_twice(stage: Stage) -> Payment:
    stage.stripe.world.policy.retry_days = (3, 7, 15)
    stage.join("month", amount="10", card=FAILS)
    stage.sleep_until(Subscription.objects.get().renews_on)
    stage.sleep(5)
    return Payment.objects.get(status="failed")


def mark_as_paid(stage: Stage, payment: Payment, **facts: int) -> Payment:
    world = stage.stripe.world
    with world.transaction():
        invoice = world.store.get("invoice", payment.stripe_invoice_id)
        invoicing.paid_outside(world, invoice)
        world.update(invoice, **facts)
    stage.settle_down()
    return Payment.objects.get(pk=payment.pk)


def marked_as_paid(stage: Stage) -> Payment:
    """A renewal by card failed; five days later its patron brought the money to the newsroom."""
    return mark_as_paid(stage, failed_twice(stage))


@pytest.mark.parametrize("counts_as_paid", [1000, 0])
def test_it_is_received_and_no_charge_is_named(stage: Stage, counts_as_paid: int) -> None:
    payment = mark_as_paid(stage, failed_twice(stage), amount_paid=counts_as_paid)
    assert (payment.status, payment.stripe_charge_id, payment.method) == ("succeeded", None, "")
    line = LedgerEntry.objects.get(payment=payment)
    assert (line.source, line.amount) == (f"invoice:{payment.stripe_invoice_id}", 1000)
    assert Membership.objects.get().paid_through == payment.paid_through > clock.today()
    receipt = Message.objects.latest("pk")
    assert (receipt.kind, receipt.state) == ("payment_recovered", "sent")
    assert stage.books()["broken"] == []


def test_told_again_it_stays_as_it_is(stage: Stage) -> None:
    payment = marked_as_paid(stage)
    letters = Message.objects.count()
    stage.stripe.world.emit("invoice.updated", stage.stripe.world.get("invoice", payment.stripe_invoice_id))
    stage.settle_down()
    again = Payment.objects.get(pk=payment.pk)
    assert (again.method, again.stripe_charge_id, Message.objects.count()) == ("", None, letters)


def test_nothing_waits_for_stripe_s_balance_to_tell_of_it(stage: Stage) -> None:
    marked_as_paid(stage)
    assert not settlements.unsettled().exists()
    hourly.run()
    stage.sleep(4)
    comparison.run()
    assert not Difference.objects.exists()


def test_staff_see_where_it_came_from_and_are_not_offered_to_send_it_back(stage: Stage) -> None:
    payment, desk = marked_as_paid(stage), Client()
    colleagues.sign_in(desk, factories.staff())
    assert refund_requests.left(payment) == 0
    page = desk.get(page_of(payment)).content.decode()
    assert "outside Stripe" in page
    assert reverse("admin:payments_payment_send-back", args=[payment.pk]) not in page
    assert "outside Stripe" in desk.get(reverse("admin:payments_payment_changelist")).content.decode()
    of_supporter = reverse("admin:members_supporter_change", args=[payment.supporter_id])
    assert "outside Stripe, after 2 failed tries" in desk.get(of_supporter).content.decode()


def test_after_a_stop_it_is_received_all_the_same(stage: Stage) -> None:
    """What came after a stop is owed back, where Stripe can send it."""
    payment = failed_twice(stage)
    press(stage, "stop")
    stage.settle_down()
    stage.sleep(1)
    assert mark_as_paid(stage, payment).status == "succeeded"
    assert not RefundRequest.objects.exists()
    assert Case.objects.get(kind="payment_after_end").facts["payment"] == payment.pk
    assert stage.books()["broken"] == []


def test_given_up_by_staff_while_with_the_bank_it_is_received_all_the_same(stage: Stage) -> None:
    payment = marked_as_paid(stage)
    payment.goes_back = True
    assert refund_requests.send_back_on_arrival(payment) is None
    payment.stripe_charge_id = "ch_1"
    assert refund_requests.send_back_on_arrival(payment) is not None
