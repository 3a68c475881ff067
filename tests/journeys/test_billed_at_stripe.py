"""What Stripe bills beside the price, other days and states of a gift, and objects of other software: booked, never
guessed, and no false alarm.
"""

from __future__ import annotations

import pytest
from django.test import Client

from members import clock
from members.mail import choices
from members.models import Membership, Message
from payments.models import Dispute, Payment, Payout, Refund, StripeEvent, Subscription
from payments.reconciling import invariants
from tests import factories
from tests.journeys.agreed import all_is_well, booked, cases, charged, gift_id, one, unworked, words
from tests.stage import Stage

# Discounts, credit, prorations


def test_a_discount_is_booked_and_announced_with_what_it_leaves(stage: Stage) -> None:
    stage.join("year", amount="100")
    stage.stripe.discount(gift_id(), 50)
    stage.settle_down()
    assert one().amount == 0
    stage.sleep(339)
    stage.advance(1)
    notice = Message.objects.filter(kind="renewal_upcoming_year").earliest("pk")
    assert "On that day we take €50.00." in words(notice)
    assert "€100" not in notice.body_text
    stage.sleep(27)
    assert booked() == [5000, 10000]
    assert cases() == ["unusual_gift"]
    all_is_well(stage)


def test_a_renewal_whose_sum_stripe_does_not_say_is_announced_without_one(stage: Stage) -> None:
    stage.join("year", amount="100")
    stage.stripe.discount(gift_id(), 50)
    stage.settle_down()
    stage.sleep(339)
    stage.stripe.fail("500", times=9, path="/v1/invoices/create_preview")
    stage.advance(1)
    notice = Message.objects.get(kind="renewal_upcoming_year")
    assert "this time it may be another sum than before" in words(notice)
    assert "€" not in notice.body_text


def test_a_month_with_credit_is_announced_with_what_is_left_to_take(stage: Stage) -> None:
    stage.join("month", amount="10")
    choices.choose(one().supporter, {"renewal_upcoming_month": True}, "page")
    stage.stripe.credit(one().stripe_customer_id, 400)
    stage.settle_down()
    stage.sleep(28)
    stage.advance(1)
    notice = Message.objects.get(kind="renewal_upcoming_month")
    assert notice.subject.startswith("€6.00 on ")
    stage.sleep(4)
    assert booked() == [600, 1000]


def test_a_part_paid_from_credit_is_no_alarm_and_the_level_follows_the_bill(stage: Stage) -> None:
    level = factories.level("friend", amounts={"EUR": 1000})
    stage.join("month", amount="10")
    stage.stripe.credit(one().stripe_customer_id, 400)
    stage.settle_down()
    assert (one().amount, one().is_sum_sure, one().is_as_offered) == (1000, False, True)
    stage.sleep(33)
    assert booked() == [600, 1000]
    assert cases() == []
    assert Membership.objects.get().level == level
    receipt = Message.objects.get(kind="receipt_recurring")
    assert "€6.00 this time" in receipt.body_text
    assert "€6.00 every month" not in receipt.body_text
    assert one().is_sum_sure
    all_is_well(stage)


def test_a_debt_carried_over_is_no_alarm(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.credit(one().stripe_customer_id, -30)
    stage.sleep(33)
    assert booked() == [1000, 1030]
    assert cases() == []
    all_is_well(stage)


def test_prorations_are_no_alarm_and_the_level_follows_the_price(stage: Stage) -> None:
    """The dashboard prorates by default: the next bill holds a credit, a debit and the new price."""
    friend = factories.level("friend", amounts={"EUR": 2000})
    factories.level("hero", rank=3, amounts={"EUR": 2500})
    stage.join("month", amount="10")
    stage.stripe.set_price(gift_id(), 2000)
    stage.stripe.prorate(gift_id(), -500, 1000)
    stage.settle_down()
    stage.sleep(33)
    assert booked() == [1000, 2500]
    assert cases() == []
    assert Membership.objects.get().level == friend
    assert "€25.00 this time" in Message.objects.get(kind="receipt_recurring").body_text
    all_is_well(stage)


def test_months_given_free_by_a_coupon_are_time_without_money(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.discount(gift_id(), 100)
    stage.settle_down()
    stage.sleep(40)
    membership = Membership.objects.get()
    assert membership.paid_through > clock.today()
    assert booked() == [1000]
    all_is_well(stage)


# Another day, another state


def test_a_billing_day_that_was_moved_goes_on_and_is_announced(stage: Stage) -> None:
    stage.join("month", amount="10")
    choices.choose(one().supporter, {"renewal_upcoming_month": True}, "page")
    stage.stripe.move_billing_day(gift_id(), 45)
    stage.settle_down()
    row = one()
    assert row.status == "trialing"
    assert list(Subscription.objects.continuing()) == [row]
    stage.sleep(42)
    stage.advance(1)
    assert Message.objects.filter(kind="renewal_upcoming_month").count() == 1
    stage.sleep(4)
    assert one().status == "active"
    assert booked() == [1000, 1000]
    assert cases() == []
    all_is_well(stage)


def test_a_state_that_nobody_knows_changes_nothing_and_is_a_case_once(stage: Stage) -> None:
    stage.join("month", amount="10")
    letters = Message.objects.count()
    for _ in range(2):
        stage.stripe.set_facts(gift_id(), status="dormant_until_further_notice")
        stage.settle_down()
    row = one()
    assert (row.status, row.is_alive) == ("dormant_until_further_notice", True)
    assert list(Subscription.objects.continuing()) == [row]
    assert Message.objects.count() == letters
    assert Membership.objects.get().ended_on is None
    assert cases() == ["status_unknown"]
    assert unworked() == []


def test_what_stripe_has_paused_is_not_announced(stage: Stage) -> None:
    stage.join("year", amount="100")
    stage.stripe.set_facts(gift_id(), status="paused")
    stage.settle_down()
    stage.sleep(344)
    stage.advance(1)
    assert not Message.objects.filter(kind="renewal_upcoming_year").exists()


def test_a_bill_that_is_sent_is_not_announced_as_taken(stage: Stage) -> None:
    stage.join("year", amount="100")
    stage.stripe.set_facts(gift_id(), collection_method="send_invoice", days_until_due=14)
    stage.settle_down()
    assert not one().is_collected
    stage.sleep(344)
    stage.advance(1)
    assert not Message.objects.filter(kind="renewal_upcoming_year").exists()
    assert cases() == ["unusual_gift"]


def test_a_change_that_is_planned_is_announced_as_stripe_previews_it(stage: Stage) -> None:
    stage.join("year", amount="100")
    stage.stripe.set_facts(gift_id(), schedule="sub_sched_1")
    stage.settle_down()
    assert (one().amount, one().is_as_offered, one().is_sum_sure) == (10000, False, False)
    stage.sleep(339)
    stage.advance(1)
    assert one().next_amount == 10000
    assert "On that day we take €100.00." in words(Message.objects.get(kind="renewal_upcoming_year"))


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("payment_disputed", "Your bank took a payment back, so your gift of €10.00 every month has ended by itself."),
        ("canceled_by_retention_policy", "Your gift of €10.00 every month has ended by itself."),
    ],
)
def test_an_end_that_nobody_asked_for_is_not_called_a_stop(stage: Stage, reason: str, told: str) -> None:
    stage.join("month", amount="10")
    stage.stripe.end_for(gift_id(), reason)
    stage.settle_down()
    assert one().status == "canceled"
    letter = Message.objects.get(kind="ended")
    assert told in words(letter)
    assert "was stopped" not in letter.body_text
    assert not Message.objects.filter(kind="cancelled").exists()


def test_states_of_money_that_nobody_knows_stop_no_event(stage: Stage, admin_client: Client) -> None:
    """Refunds, disputes and payouts may get states that do not exist yet: stored, shown as they are, and booked."""
    stage.join("once", amount="40")
    charge = Payment.objects.get().stripe_charge_id
    refund, dispute = stage.stripe.refund(charge, 100)["id"], stage.stripe.dispute(charge, inquiry=True)["id"]
    stage.sleep(3)
    payout = stage.stripe.payout()[0]["id"]
    world = stage.stripe.world
    with world.transaction():
        for kind, id, event in (
            ("refund", refund, "refund.updated"),
            ("dispute", dispute, "charge.dispute.updated"),
            ("payout", payout, "payout.updated"),
        ):
            world.update(world.get(kind, id), event, status="considered_by_a_committee_of_banks")
    stage.settle_down()
    assert unworked() == []
    for row in (Refund.objects.get(), Dispute.objects.get(), Payout.objects.get()):
        assert row.status == "considered_by_a_committee_of_banks"
        page = admin_client.get(f"/admin/payments/{row._meta.model_name}/{row.pk}/change/")
        assert page.status_code == 200


# Several payments, other software


def test_an_invoice_paid_by_another_payment_than_its_default_one(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.set_payment_method(one().stripe_customer_id, "4000000000000341")
    stage.sleep(32)
    [invoice] = stage.stripe.world.store.where("invoice", status="open")
    stage.stripe.pay_by_another(invoice["id"])
    stage.settle_down()
    renewal = Payment.objects.latest("created_at")
    assert (renewal.status, renewal.is_outside_stripe) == ("succeeded", False)
    assert booked() == charged(stage)
    stage.stripe.refund(renewal.stripe_charge_id, 400)
    stage.settle_down()
    assert Payment.objects.get(pk=renewal.pk).refunded_amount == 400
    assert cases() == []
    all_is_well(stage)


def test_sessions_and_refunds_of_other_software_are_foreign_whatever_their_shape(stage: Stage) -> None:
    stage.join("once", amount="40")
    payment = Payment.objects.get()
    refund = stage.stripe.refund(payment.stripe_charge_id, 100)
    stage.settle_down()
    stage.stripe.foreign_session(payment.stripe_customer_id)
    stage.stripe.foreign_refund(refund["id"])
    stage.settle_down()
    foreign = StripeEvent.objects.filter(state="foreign").values_list("type", flat=True)
    assert sorted(foreign) == ["checkout.session.completed", "refund.created"]
    assert not StripeEvent.objects.exclude(state__in=["processed", "ignored", "foreign"]).exists()
    assert invariants.broken() == []
