"""A month that Stripe pays from the customer's credit: nothing is taken, nothing is booked, the patron stays one."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from members import clock
from members.belonging import entitlements
from members.models import Level, Membership, Message
from payments.models import Case, Difference, LedgerEntry, OverdueTry, Payment, Subscription
from payments.reconciling import comparison
from stripe_simulator.life import invoicing
from tests import factories
from tests.stage import Stage

FAILS = "4000000000000341"
WHO = "olena@example.org"


def credit(stage: Stage, amount: int) -> None:
    """Staff write a credit down for the customer in Stripe's dashboard."""
    world = stage.stripe.world
    with world.transaction():
        customer = world.store.get("customer", Subscription.objects.get().stripe_customer_id)
        world.update(customer, balance=customer["balance"] - amount)


def a_month_from_credit(stage: Stage) -> Subscription:
    """The second month is paid from credit; it is nearly over."""
    stage.join("month", amount="10", email=WHO)
    credit(stage, 1000)
    stage.sleep_until(Subscription.objects.get().renews_on)
    stage.sleep(20)
    return Subscription.objects.get()


def test_a_month_paid_from_credit_is_time_without_money(stage: Stage) -> None:
    subscription = a_month_from_credit(stage)
    assert (Payment.objects.count(), LedgerEntry.objects.filter(kind="charge").count()) == (1, 1)
    assert subscription.credited_through == subscription.renews_on == Membership.objects.get().paid_through
    assert entitlements.of_email(WHO).reason == "active"
    assert Message.objects.count() == 1, "the thank-you of the first month"
    comparison.run()
    assert not Case.objects.exists()
    assert not Difference.objects.exists()
    assert stage.books()["broken"] == []


def test_staff_see_through_which_day(stage: Stage) -> None:
    subscription, desk = a_month_from_credit(stage), Client()
    desk.force_login(factories.staff(), backend="django.contrib.auth.backends.ModelBackend")
    page = desk.get(reverse("admin:payments_subscription_change", args=[subscription.pk])).content.decode()
    assert "Paid from credit at Stripe through" in page


def test_the_month_after_is_charged_again(stage: Stage) -> None:
    subscription = a_month_from_credit(stage)
    stage.sleep_until(subscription.renews_on)
    stage.sleep(1)
    assert Payment.objects.filter(status="succeeded").count() == 2
    assert Membership.objects.get().paid_through == Payment.objects.latest("created_at").paid_through > clock.today()
    assert stage.books()["broken"] == []


def test_days_from_credit_stay_when_the_money_of_another_month_goes_back(stage: Stage) -> None:
    Level.objects.update(stays_when_sent_back=False)
    subscription = a_month_from_credit(stage)
    stage.stripe.refund(Payment.objects.get().stripe_payment_intent_id)
    stage.settle_down()
    assert Membership.objects.get().paid_through == subscription.credited_through
    assert entitlements.of_email(WHO).reason == "active"
    assert stage.books()["broken"] == []


def test_a_payment_that_failed_and_is_forgiven_is_wanted_no_more(stage: Stage) -> None:
    """Staff write a credit note for all of an open invoice: Stripe calls it paid, with nothing due."""
    stage.stripe.world.policy.retry_days = (3, 7, 15)
    stage.join("month", amount="10", email=WHO, card=FAILS)
    stage.sleep_until(Subscription.objects.get().renews_on)
    failed, world = Payment.objects.get(status="failed"), stage.stripe.world
    with world.transaction():
        invoice = world.store.get("invoice", failed.stripe_invoice_id)
        world.update(invoice, amount_due=0)
        invoicing.paid_outside(world, invoice)
    stage.settle_down()
    stage.stripe.set_payment_method(failed.stripe_customer_id, "4242424242424242")
    stage.settle_down()
    stage.advance(4)
    assert entitlements.of_email(WHO).reason == "active"
    assert not OverdueTry.objects.exists()
    assert list(Message.objects.values_list("kind", flat=True).order_by("pk"))[1:] == ["payment_failed_1"]
    assert stage.books()["broken"] == []
