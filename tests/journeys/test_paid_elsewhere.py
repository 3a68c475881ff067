"""Vouchers and small deposits: Stripe's page is complete, and the giver pays or confirms elsewhere, or never does."""

from __future__ import annotations

from typing import Any

import pytest

from members.models import Membership, Message, Supporter
from payments.models import Checkout, LedgerEntry, Payment, Subscription
from tests.journeys.letters import kinds
from tests.stage import Stage, hidden_fields

VOUCHER, US_ACCOUNT = "multibanco", "us_bank_account"


@pytest.fixture(autouse=True)
def _offered(stage: Stage, settings: Any) -> None:
    """Have the account and our settings offer both."""
    settings.CHECKOUT_PAYMENT_METHODS = ["card", VOUCHER, US_ACCOUNT]
    stage.stripe.world.policy.methods = ("card", VOUCHER, US_ACCOUNT)


def begin(stage: Stage, frequency: str, how: str, currency: str = "EUR") -> Checkout:
    checkout = stage.give(frequency, amount="25", currency=currency)
    assert stage.pay(checkout, elsewhere=how) == "elsewhere"
    stage.settle_down()
    checkout.refresh_from_db()
    return checkout


def return_page(stage: Stage, checkout: Checkout) -> str:
    address = checkout.stripe_params["success_url"].removeprefix("http://testserver")
    return stage.client.get(address).content.decode()


def nothing_happened() -> bool:
    known = (Payment, Supporter, Subscription, Membership, Message)
    return not any(model._default_manager.exists() for model in known)


def test_a_voucher_waits_and_makes_nobody_a_supporter(stage: Stage) -> None:
    checkout = begin(stage, "once", VOUCHER)
    assert checkout.status == "waiting"
    assert nothing_happened()
    page = return_page(stage, checkout)
    assert 'data-state="waiting"' in page
    assert "waits for your payment" in page
    assert stage.client.get(f"/support/return/{checkout.stripe_params['success_url'].split('/return/')[1]}?lang=uk")
    assert stage.books()["broken"] == []


def test_a_voucher_paid_days_later_is_thanked_for(stage: Stage) -> None:
    checkout = begin(stage, "once", VOUCHER)
    stage.advance(3)
    stage.stripe.complete(checkout.stripe_session_id)
    stage.settle_down()
    payment = Payment.objects.get()
    assert (payment.status, payment.method) == ("succeeded", "Multibanco")
    assert payment.paid_at is not None
    assert (payment.paid_at.date() - checkout.created_at.date()).days == 3
    assert kinds() == ["thanks_first_once"]
    checkout.refresh_from_db()
    assert checkout.status == "complete"
    assert 'data-state="paid"' in return_page(stage, checkout)
    assert LedgerEntry.objects.get(kind="charge").amount == 2500
    stage.advance(10)
    assert kinds() == ["thanks_first_once"]
    assert stage.books()["broken"] == []


@pytest.mark.parametrize("told", ["all", "payment_intent.payment_failed", "checkout.session.async_payment_failed"])
def test_a_voucher_that_nobody_pays_runs_out_quietly(stage: Stage, told: str) -> None:
    checkout = begin(stage, "once", VOUCHER)
    stage.stripe.advance(days=8)
    for event in stage.stripe.outbox():
        if told in ("all", event["type"]):
            stage.post(event)
    stage.work()
    stage.send_mail()
    checkout.refresh_from_db()
    assert checkout.status == "expired"
    assert nothing_happened()
    page = return_page(stage, checkout)
    assert 'data-state="expired"' in page
    assert "/support/details/" in page


def test_the_same_form_leads_to_the_waiting_gift_and_makes_no_second(stage: Stage) -> None:
    page = stage.client.get("/support/details/", {"frequency": "once", "amount": "25", "currency": "EUR"})
    fields = hidden_fields(page.content.decode()) | {"email": "olena@example.org", "name": "Олена"}
    stage.client.post("/support/details/", fields)
    checkout = Checkout.objects.get()
    stage.pay(checkout, elsewhere=VOUCHER)
    stage.settle_down()
    again = stage.client.post("/support/details/", fields)
    assert "/support/return/" in again["Location"]
    assert Checkout.objects.count() == 1


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_small_deposits_are_confirmed_and_then_debited(stage: Stage, frequency: str) -> None:
    checkout = begin(stage, frequency, US_ACCOUNT, "USD")
    assert checkout.status == "waiting"
    assert nothing_happened()
    assert 'data-state="waiting"' in return_page(stage, checkout)
    stage.advance(2)
    stage.stripe.complete(checkout.stripe_session_id)
    stage.settle_down()
    payment = Payment.objects.get()
    assert payment.status == "processing"
    assert kinds() == ["thanks_processing"]
    assert not Membership.objects.exists()
    assert 'data-state="processing"' in return_page(stage, checkout)
    stage.advance(6)
    payment.refresh_from_db()
    assert (payment.status, payment.method) == ("succeeded", "ACH 6789")
    assert kinds() == ["thanks_processing", "processing_done"]
    assert Membership.objects.exists() == (frequency == "month")
    assert stage.books()["broken"] == []


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_small_deposits_that_nobody_confirms_run_out_quietly(stage: Stage, frequency: str) -> None:
    checkout = begin(stage, frequency, US_ACCOUNT, "USD")
    stage.advance(9)
    checkout.refresh_from_db()
    assert checkout.status == "expired"
    assert nothing_happened()
    assert 'data-state="expired"' in return_page(stage, checkout)


@pytest.mark.parametrize("how", [VOUCHER, US_ACCOUNT])
def test_events_in_any_order_say_the_same(stage: Stage, how: str) -> None:
    checkout = stage.give("once", amount="25", currency="EUR" if how == VOUCHER else "USD")
    stage.pay(checkout, elsewhere=how)
    for event in reversed(stage.stripe.outbox()):
        stage.post(event)
        stage.work()
    checkout.refresh_from_db()
    assert checkout.status == "waiting"
    stage.stripe.complete(checkout.stripe_session_id)
    stage.stripe.advance(days=6)
    for event in reversed(stage.stripe.outbox()):
        stage.post(event)
        stage.work()
    checkout.refresh_from_db()
    assert (checkout.status, Payment.objects.get().status) == ("complete", "succeeded")
    assert stage.books()["broken"] == []


def test_one_that_ran_out_before_we_heard_of_it_is_no_failure(stage: Stage) -> None:
    checkout = stage.give("once", amount="25")
    stage.pay(checkout, elsewhere=VOUCHER)
    stage.stripe.advance(days=8)
    stage.settle_down()
    checkout.refresh_from_db()
    assert checkout.status == "expired"
    assert nothing_happened()


def test_a_first_payment_that_staff_take_by_card_instead_of_the_deposits_begins_the_gift(stage: Stage) -> None:
    """The subscription was incomplete until then; Stripe reports the invoice and the subscription, no session."""
    stage.pay(stage.give("month", amount="20", currency="USD"), elsewhere="us_bank_account")
    stage.settle_down()
    assert not Supporter.objects.exists()
    [invoice] = stage.stripe.world.store.where("invoice", status="open")
    stage.stripe.pay_by_another(invoice["id"])
    stage.settle_down()
    assert Subscription.objects.get().status == "active"
    assert Payment.objects.get().status == "succeeded"
    assert kinds() == ["thanks_first_recurring"]
    stage.sleep(33)
    assert Payment.objects.filter(amount=2000).count() == 2
