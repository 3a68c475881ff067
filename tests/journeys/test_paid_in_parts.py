"""An invoice of a gift that several payments pay: staff charge a part of it, and each payment is booked by itself."""

from __future__ import annotations

from datetime import date, timedelta

from members import clock
from members.models import Membership, Message
from payments.models import Difference, Payment
from payments.reconciling import comparison, invariants
from stripe_simulator.world.store import Document
from tests.journeys.agreed import all_is_well, booked, cases, charged, one, unworked, words
from tests.stage import Stage

DECLINED = "4000000000000341"


def overdue(stage: Stage) -> Document:
    """A monthly gift of 10 euros whose second payment failed; return its invoice."""
    stage.join("month", amount="10")
    stage.stripe.set_payment_method(one().stripe_customer_id, DECLINED)
    stage.sleep(32)
    [invoice] = stage.stripe.world.store.where("invoice", status="open")
    return invoice


def sums() -> list[tuple[str, int]]:
    return list(Payment.objects.order_by("pk").values_list("status", "amount"))


def test_a_part_is_booked_and_thanked_for_and_the_rest_is_overdue(stage: Stage) -> None:
    invoice = overdue(stage)
    stage.stripe.pay_by_another(invoice["id"], amount=400)
    stage.settle_down()
    assert sums() == [("succeeded", 1000), ("failed", 600), ("succeeded", 400)]
    assert "€4.00" in words(Message.objects.filter(kind="receipt_recurring").latest("pk"))
    assert booked() == charged(stage) == [400, 1000]
    assert one().status == "past_due"
    assert invariants.broken() == []
    stage.stripe.set_payment_method(one().stripe_customer_id, "4242424242424242", retry_now=True)
    stage.settle_down()
    assert sums() == [("succeeded", 1000), ("succeeded", 600), ("succeeded", 400)]
    assert "€6.00" in words(Message.objects.get(kind="payment_recovered"))
    assert cases() == []
    all_is_well(stage)


def test_two_parts_that_pay_all_of_it_renew_the_membership(stage: Stage) -> None:
    invoice = overdue(stage)
    before = Membership.objects.get().paid_through
    stage.stripe.pay_by_another(invoice["id"], amount=400)
    stage.settle_down()
    assert Membership.objects.get().paid_through == before
    stage.stripe.pay_by_another(invoice["id"])
    stage.settle_down()
    assert booked() == charged(stage) == [400, 600, 1000]
    assert one().status == "active"
    assert Membership.objects.get().paid_through >= before + timedelta(days=28)
    assert not Payment.objects.filter(next_attempt_at__isnull=False).exists()
    assert cases() == []
    all_is_well(stage)


def test_parts_of_which_we_hear_together_are_booked_one_by_one(stage: Stage) -> None:
    invoice = overdue(stage)
    stage.stripe.pay_by_another(invoice["id"], amount=700)
    stage.stripe.pay_by_another(invoice["id"])
    stage.settle_down()
    assert booked() == charged(stage) == [300, 700, 1000]
    assert set(Payment.objects.values_list("status", flat=True)) == {"succeeded"}
    assert cases() == []
    all_is_well(stage)


def test_a_part_can_be_sent_back_and_disputed_like_any_payment(stage: Stage) -> None:
    invoice = overdue(stage)
    stage.stripe.pay_by_another(invoice["id"], amount=400)
    stage.stripe.pay_by_another(invoice["id"])
    stage.settle_down()
    whole, part = Payment.objects.get(amount=600), Payment.objects.get(amount=400)
    stage.stripe.refund(whole.stripe_charge_id)
    stage.stripe.dispute(part.stripe_charge_id)
    stage.settle_down()
    assert Payment.objects.get(pk=whole.pk).is_fully_refunded
    assert Payment.objects.get(pk=part.pk).disputed_amount == 400
    assert cases() == ["dispute"]
    assert booked() == charged(stage)


def test_a_part_of_the_first_invoice_of_a_gift_that_has_not_begun_is_shown_to_staff(stage: Stage) -> None:
    stage.pay(stage.give("month", currency="USD"), elsewhere="us_bank_account")
    stage.settle_down()
    [invoice] = stage.stripe.world.store.where("invoice", status="open")
    stage.stripe.pay_by_another(invoice["id"], amount=400)
    stage.settle_down()
    assert (Payment.objects.count(), unworked()) == (0, [])
    for _ in range(2):
        clock.move(timedelta(minutes=10))
        stage.stripe.advance(seconds=600)
        comparison.run()
    shown = Difference.objects.get(state="open", kind="payment")
    assert (shown.field, shown.theirs) == ("missing", "400 USD")


def test_the_next_period_is_billed_as_agreed(stage: Stage) -> None:
    invoice = overdue(stage)
    stage.stripe.pay_by_another(invoice["id"], amount=400)
    stage.stripe.pay_by_another(invoice["id"])
    stage.settle_down()
    stage.stripe.set_payment_method(one().stripe_customer_id, "4242424242424242")
    stage.sleep(31)
    newest = Payment.objects.latest("created_at")
    assert (newest.amount, newest.is_part, isinstance(newest.paid_through, date)) == (1000, False, True)
    all_is_well(stage)
