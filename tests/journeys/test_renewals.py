"""Renewals: from 31 January, with cards that fail and come back, yearly ones with their reminders."""

from __future__ import annotations

from datetime import timedelta

import stripe

from members import clock
from members.models import Membership
from payments.models import Case, Payment, Subscription
from tests.journeys.letters import kinds
from tests.stage import KEY, Stage, link


def test_a_failed_card_is_told_once_and_recovers_when_replaced(stage: Stage) -> None:
    stage.join("month", amount="10", card="4000000000000341")
    stage.sleep_until(Subscription.objects.get().renews_on)
    stage.advance(4)
    failed = Payment.objects.get(status="failed")
    subscription = Subscription.objects.get()
    assert subscription.status == "past_due"
    assert failed.failure_code
    assert failed.next_attempt_at is not None
    assert kinds() == ["thanks_first_recurring", "payment_failed_1", "payment_failed_2"]
    assert Membership.objects.get().state == "grace"

    stage.stripe.set_payment_method(subscription.stripe_customer_id, "4242424242424242", retry_now=True)
    stage.settle_down()
    failed.refresh_from_db()
    subscription.refresh_from_db()
    assert (failed.status, subscription.status) == ("succeeded", "active")
    assert Membership.objects.get().state == "active"
    assert kinds()[-1] == "payment_recovered"
    assert stage.books()["broken"] == []


def test_a_card_that_never_works_again_ends_it_and_says_so(stage: Stage) -> None:
    stage.join("month", amount="10", card="4000000000000341")
    stage.sleep_until(Subscription.objects.get().renews_on)
    stage.advance(20)
    assert Subscription.objects.get().status == "canceled"
    assert Membership.objects.get().state == "ended"
    assert kinds()[-1] == "ended_unpaid"
    assert stage.books()["broken"] == []


def test_a_yearly_patron_is_reminded_thirty_and_seven_days_before(stage: Stage) -> None:
    stage.join("year", amount="100")
    renews_on = Subscription.objects.get().renews_on
    stage.sleep_until(renews_on - timedelta(days=33))
    stage.advance_to(renews_on - timedelta(days=31))
    assert kinds() == ["thanks_first_recurring"]
    stage.advance(1)
    assert kinds()[1:] == ["renewal_upcoming_year"]
    stage.advance_to(renews_on - timedelta(days=7))
    assert kinds()[1:] == ["renewal_upcoming_year"] * 2
    stage.advance_to(renews_on + timedelta(days=1))
    assert kinds()[1:] == ["renewal_upcoming_year", "renewal_upcoming_year", "receipt_recurring"]
    assert Payment.objects.filter(status="succeeded").count() == 2


def test_a_reminder_that_could_not_go_out_goes_out_late_with_an_alarm(stage: Stage) -> None:
    stage.join("year", amount="100")
    renews_on = Subscription.objects.get().renews_on
    # The daily job did not run for weeks: only the clocks move.
    missed = (renews_on - timedelta(days=15)) - clock.today()
    stage.stripe.advance(days=missed.days - 1)
    clock.move(missed - timedelta(days=1))
    stage.advance(1)
    assert kinds()[1:] == ["renewal_upcoming_year"]
    assert Case.objects.get().kind == "reminder_late"


def test_a_yearly_gift_paused_in_the_dashboard_is_not_told_that_money_is_taken(stage: Stage) -> None:
    """Nor is anybody to blame when it goes on ten days before its day: then the reminder is due at once."""
    stage.join("year", amount="100")
    row = Subscription.objects.get()
    stage.sleep_until(row.renews_on - timedelta(days=31))
    agreed = stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url}).v1.subscriptions
    agreed.update(row.stripe_subscription_id, {"pause_collection": {"behavior": "void"}})
    stage.settle_down()
    stage.advance(3)
    stage.sleep_until(row.renews_on - timedelta(days=10))
    assert kinds()[1:] == ["paused"]
    agreed.update(row.stripe_subscription_id, {"pause_collection": ""})
    stage.settle_down()
    stage.advance(1)
    assert kinds()[1:] == ["paused", "resumed", "renewal_upcoming_year"]
    assert not Case.objects.exists()


def test_stopping_while_behind_ends_at_once_and_nothing_is_tried_again(stage: Stage) -> None:
    stage.join("month", amount="10", card="4000000000000341")
    stage.sleep_until(Subscription.objects.get().renews_on + timedelta(days=2))
    stop = link(stage.last_mail(), "/stop/")
    assert 'data-state="done"' in stage.client.post(stop).content.decode()
    stage.settle_down()
    assert Subscription.objects.get().status == "canceled"
    attempts = Payment.objects.get(status="failed").failures
    stage.advance(20)
    assert Payment.objects.get(status="failed").failures == attempts
    assert kinds() == ["thanks_first_recurring", "payment_failed_1", "cancelled"]


def test_one_unpaid_gift_does_not_take_away_what_another_pays_for(stage: Stage) -> None:
    stage.join("month", amount="10", card="4000000000000341")
    stage.join("year", amount="100")
    stage.sleep_until(Subscription.objects.get(frequency="month").renews_on)
    stage.advance(25)
    states = sorted(membership.state for membership in Membership.objects.all())
    assert states == ["active", "ended"]
