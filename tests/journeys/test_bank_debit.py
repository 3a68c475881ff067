"""SEPA debits take days: processing is not received, and a late no is said plainly."""

from __future__ import annotations

from datetime import timedelta

import pytest

from members import clock
from members.models import Membership
from payments.accounts import account as accounts
from payments.inbox import queue
from payments.models import LedgerEntry, Payment, Refund, Subscription
from payments.reconciling import comparison
from tests.journeys.letters import kinds
from tests.stage import Stage

SETTLES, FAILS = "DE89370400440532013000", "DE62370400440532013001"


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_a_debit_arrives_after_days(stage: Stage, frequency: str) -> None:
    stage.join(frequency, amount="25", iban=SETTLES)
    payment = Payment.objects.get()
    assert payment.status == "processing"
    assert not LedgerEntry.objects.exists()
    assert not Membership.objects.exists()
    assert kinds() == ["thanks_processing"]

    stage.advance(6)
    payment.refresh_from_db()
    assert payment.status == "succeeded"
    assert payment.paid_at is not None
    assert (payment.paid_at - payment.created_at).days >= 4, "The day the money came, not that of the order."
    assert LedgerEntry.objects.get(kind="charge").occurred_at == payment.paid_at
    assert kinds() == ["thanks_processing", "processing_done"]
    assert Membership.objects.exists() == (frequency == "month")
    assert stage.books()["broken"] == []


@pytest.mark.parametrize(
    "first", ["charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded"]
)
def test_whichever_event_comes_first_the_day_is_the_same(stage: Stage, first: str) -> None:
    stage.join("once", amount="25", iban=SETTLES)
    clock.move(timedelta(days=6))
    stage.stripe.advance(days=6)
    events = {event["type"]: event for event in stage.stripe.outbox()}
    assert stage.post(events[first]) == 200
    stage.work()
    payment = Payment.objects.get()
    assert payment.status == "succeeded"
    told = events["payment_intent.succeeded"]["created"]
    assert payment.paid_at is not None
    assert payment.paid_at.timestamp() == told
    stage.settle_down()
    assert LedgerEntry.objects.get(kind="charge").occurred_at == payment.paid_at


@pytest.mark.parametrize(("days", "dated"), [(6, 6), (12, 7)])
def test_a_debit_whose_coming_was_never_told_is_dated_by_the_day_it_may_be_used(
    stage: Stage, days: int, dated: int
) -> None:
    """Or by today, where that is still to come."""
    checkout = stage.join("once", amount="25", iban=SETTLES)
    clock.move(timedelta(days=days))
    stage.stripe.advance(days=days)
    queue.request_sync("checkout.session", checkout.stripe_session_id)
    stage.work()
    payment = Payment.objects.get()
    assert payment.status == "succeeded"
    assert payment.paid_at is not None
    assert (payment.paid_at - payment.created_at + timedelta(hours=1)).days == dated


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_a_debit_fails_late(stage: Stage, frequency: str) -> None:
    stage.join(frequency, amount="25", iban=FAILS)
    stage.advance(6)
    assert Payment.objects.get().status == "failed"
    assert not LedgerEntry.objects.exists()
    assert not Membership.objects.exists()
    assert kinds() == ["thanks_processing", "processing_failed"]
    assert stage.books()["broken"] == []


def test_a_renewal_by_debit_is_in_the_books_while_it_is_with_the_bank(stage: Stage) -> None:
    """For days Stripe has a charge that waits; a comparison then must find the same with us, and no difference."""
    stage.join("month", amount="25", iban=SETTLES)
    stage.sleep(33)
    first, renewal = Payment.objects.order_by("created_at")
    assert (first.status, renewal.status) == ("succeeded", "processing")
    clock.move(timedelta(minutes=10))
    run = comparison.run()
    assert run is not None
    assert (run.error, run.found) == ("", 0)
    assert run.looked_at > 0
    stage.advance(6)
    renewal.refresh_from_db()
    assert renewal.status == "succeeded"
    assert kinds() == ["thanks_processing", "processing_done", "receipt_recurring"]


@pytest.mark.parametrize("status", ["active", "past_due"])
def test_a_renewal_with_the_bank_is_not_overdue_whatever_stripe_calls_its_gift(stage: Stage, status: str) -> None:
    stage.join("month", amount="25", iban=SETTLES)
    stage.sleep(33)
    stage.stripe.set_facts(Subscription.objects.get().stripe_subscription_id, status=status)
    stage.settle_down()
    account = accounts.of(Subscription.objects.get())
    assert (account.state, list(account.overdue), account.with_bank_amount) == ("active", [], 2500)
    stage.advance(6)
    assert set(Payment.objects.values_list("status", flat=True)) == {"succeeded"}
    assert kinds() == ["thanks_processing", "processing_done", "receipt_recurring"]


def test_a_refund_that_no_bank_took_comes_back_under_the_type_under_which_it_left(stage: Stage) -> None:
    stage.join("once", amount="50", email="a@example.org")
    stage.join("once", amount="25", iban=SETTLES)
    stage.advance(6)
    debit = Payment.objects.latest("pk")
    made = stage.stripe.refund(debit.stripe_payment_intent_id)
    stage.settle_down()
    stage.stripe.fail_refund(made["id"])
    stage.advance(5)
    kinds_and_sums = LedgerEntry.objects.filter(payment=debit).exclude(kind="settlement").order_by("pk")
    assert list(kinds_and_sums.values_list("kind", "settlement__settled_amount")) == [
        ("charge", 2500),
        ("refund", -2500),
        ("refund_returned", 2500),
    ]
    assert Refund.objects.get().status == "failed"
    run = comparison.run()
    assert run is not None
    assert (run.error, run.found) == ("", 0)
    assert stage.books()["broken"] == []


def test_a_failed_first_debit_of_a_regular_gift_is_not_offered_a_second_time(stage: Stage) -> None:
    checkout = stage.join("month", amount="25", iban=FAILS)
    address = f"/support/return/{checkout.stripe_params['success_url'].split('/return/')[1]}"
    stage.advance(6)
    page = stage.client.get(address).content.decode()
    assert 'data-state="failed"' in page
    assert "We ask your bank again on" in page
    assert "/support/details/" not in page


def test_the_return_page_tells_each_state(stage: Stage) -> None:
    checkout = stage.join("once", amount="25", iban=FAILS)
    address = f"/support/return/{checkout.stripe_params['success_url'].split('/return/')[1]}"
    assert 'data-state="processing"' in stage.client.get(address).content.decode()
    stage.advance(6)
    assert 'data-state="failed"' in stage.client.get(address).content.decode()
