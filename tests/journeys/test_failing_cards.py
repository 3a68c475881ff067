"""A renewal fails: letters for two weeks, each on its day, until it is mended, given up, or not wanted any more."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from members import clock
from members.models import Membership, Message
from payments.models import Case, OverdueTry, Payment, Subscription
from payments.templatetags.money import day
from stripe_simulator.life import invoicing
from tests.payments.reader_links import press
from tests.stage import Stage

FAILS, GOOD = "4000000000000341", "4242424242424242"


def letters(stage: Stage, days: int) -> list[tuple[int, str]]:
    """What is written on which day after the renewal, which comes first."""
    renewed, found = Subscription.objects.latest("pk").renews_on, []
    seen = set(Message.objects.values_list("pk", flat=True))
    stage.sleep_until(renewed)
    for _day in range(days + 1):
        for pk, kind in Message.objects.exclude(pk__in=seen).order_by("pk").values_list("pk", "kind"):
            found.append(((clock.today() - renewed).days, kind))
            seen.add(pk)
        stage.advance(1)
    return found


def the_newest() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("kind", flat=True))[1:]


def test_four_letters_and_the_end(stage: Stage) -> None:
    stage.stripe.world.policy.retry_days = (3, 7, 15)
    stage.join("month", amount="10", card=FAILS)
    assert letters(stage, 20) == [
        (0, "payment_failed_1"),
        (3, "payment_failed_2"),
        (7, "payment_failed_3"),
        (14, "payment_failed_4"),
        (15, "ended_unpaid"),
    ]
    ended = Message.objects.get(kind="ended_unpaid")
    assert (ended.context["times"], ended.context["given"]) == (1, 1000)
    assert stage.books()["broken"] == []


def test_the_fourth_promises_no_end_to_tries_that_go_on(stage: Stage) -> None:
    """Stripe can be told to try for longer than two weeks."""
    stage.stripe.world.policy.retry_days = (3, 7, 15, 22)
    stage.join("month", amount="10", card=FAILS)
    stage.sleep_until(Subscription.objects.get().renews_on)
    stage.sleep(13)
    stage.advance(1)
    told = Message.objects.get(kind="payment_failed_4")
    failed = Payment.objects.get(status="failed")
    assert failed.next_attempt_at is not None
    assert told.subject == f"Next try on {day(clock.day_of(failed.next_attempt_at))}"
    stage.sleep(2)
    failed.refresh_from_db()
    assert failed.next_attempt_at is not None, "tried again, and to be tried once more"
    for part in (told.body_text, told.body_html):
        words = " ".join(part.split())
        assert "If it does not go through in the end, your gift ends by itself. You owe nothing." in words
        assert not any(promise in words.lower() for promise in ("last try", "nothing more is tried"))


def test_mended_on_the_fifth_day_is_told_at_once_and_nothing_more(stage: Stage) -> None:
    stage.stripe.world.policy.retry_days = (3, 7, 15)
    stage.join("month", amount="10", card=FAILS)
    stage.sleep_until(Subscription.objects.get().renews_on)
    stage.advance(5)
    stage.stripe.set_payment_method(Subscription.objects.get().stripe_customer_id, "4242424242424242", retry_now=True)
    stage.settle_down()
    stage.advance(20)
    assert the_newest() == ["payment_failed_1", "payment_failed_2", "payment_recovered"]


def test_a_letter_that_still_waits_when_it_is_paid_never_leaves(stage: Stage) -> None:
    """The mail server was away: what it would have brought is not true any more."""
    stage.join("month", amount="10", card=FAILS)
    stage.sleep_until(Subscription.objects.get().renews_on)
    Message.objects.filter(kind="payment_failed_1").update(state="pending", sent_at=None)
    stage.stripe.set_payment_method(Subscription.objects.get().stripe_customer_id, "4242424242424242", retry_now=True)
    stage.work()
    stage.bring()
    stage.work()
    assert Payment.objects.filter(status="succeeded").count() == 2
    assert Message.objects.get(kind="payment_failed_1").state == "canceled"


def given_up_at_stripe(stage: Stage, give_up: Any) -> Payment:
    """A patron whose renewal failed, and whose invoice staff gave up on that day."""
    stage.stripe.world.policy.retry_days = (3, 7, 15)
    stage.join("month", amount="10", card=FAILS)
    stage.sleep_until(Subscription.objects.get().renews_on)
    return give_up_at_stripe(stage, give_up)


def give_up_at_stripe(stage: Stage, give_up: Any) -> Payment:
    failed, world = Payment.objects.get(status="failed"), stage.stripe.world
    with world.transaction():
        give_up(world, world.store.get("invoice", failed.stripe_invoice_id))
    stage.settle_down()
    return failed


@pytest.mark.parametrize("give_up", [invoicing.void, invoicing.mark_uncollectible])
def test_a_payment_that_staff_give_up_at_stripe_is_written_about_no_more(stage: Stage, give_up: Any) -> None:
    """The gift stays behind at Stripe, so nothing else ends the letters."""
    given_up_at_stripe(stage, give_up)
    stage.advance(20)
    assert the_newest() == ["payment_failed_1"]


@pytest.mark.parametrize("give_up", [invoicing.void, invoicing.mark_uncollectible])
def test_a_payment_that_staff_give_up_at_stripe_is_not_taken_from_the_next_card(stage: Stage, give_up: Any) -> None:
    """Stripe would still take the money of an invoice that was written off."""
    given_up = given_up_at_stripe(stage, give_up)
    stage.sleep(32)
    assert Payment.objects.filter(status="failed").count() == 2
    stage.stripe.set_payment_method(Subscription.objects.get().stripe_customer_id, GOOD)
    stage.settle_down()
    assert Payment.objects.get(pk=given_up.pk).status == "failed"
    assert list(OverdueTry.objects.values_list("payment__status", flat=True)) == ["succeeded"], "the next month is paid"
    assert not Case.objects.exists()


def test_a_payment_given_up_while_its_try_waits_for_stripe_is_not_taken(stage: Stage) -> None:
    stage.stripe.world.policy.retry_days = (3, 7, 15)
    stage.join("month", amount="10", card=FAILS)
    stage.sleep_until(Subscription.objects.get().renews_on)
    stage.stripe.set_payment_method(Subscription.objects.get().stripe_customer_id, GOOD)
    stage.stripe.fail("drop", times=20, path="/pay", method="POST")
    stage.settle_down()
    assert OverdueTry.objects.get().state == "requested"
    give_up_at_stripe(stage, invoicing.mark_uncollectible)
    stage.stripe.clear_faults()
    stage.settle_down()
    assert Payment.objects.latest("pk").status == "failed"
    assert stage.stripe.world.store.where("invoice", status="uncollectible")


def test_an_invoice_that_is_paid_after_its_month_pays_for_the_day_on_which_it_is(stage: Stage) -> None:
    stage.stripe.world.policy.retry_days = (3, 7, 15)
    stage.join("month", amount="10", card=FAILS)
    stage.sleep_until(Subscription.objects.get().renews_on)
    stage.sleep(45)
    assert Subscription.objects.get().status == "canceled"
    failed = Payment.objects.get(status="failed")
    stage.stripe.set_payment_method(failed.stripe_customer_id, GOOD)
    world = stage.stripe.world
    with world.transaction():
        invoicing.pay(world, world.get("invoice", failed.stripe_invoice_id), world.store.all("payment_method")[-1])
    stage.settle_down()
    failed.refresh_from_db()
    assert (failed.status, clock.day_of(failed.paid_at)) == ("succeeded", clock.today())
    assert failed.paid_through < clock.today() == Membership.objects.get().paid_through
    assert stage.books()["broken"] == []


@pytest.mark.parametrize("days", [2, 5])
def test_a_stop_in_the_middle_ends_the_letters(stage: Stage, days: int) -> None:
    stage.stripe.world.policy.retry_days = (3, 7, 15)
    stage.join("month", amount="10", card=FAILS)
    stage.sleep_until(Subscription.objects.get().renews_on)
    stage.advance(days)
    before = the_newest()
    press(stage, "stop")
    stage.settle_down()
    stage.advance(20)
    assert the_newest() == [*before, "cancelled"]


def test_nobody_whose_other_gift_goes_on_is_told_nor_that_it_ended(stage: Stage) -> None:
    stage.join("year", amount="100")
    stage.join("month", amount="10", card=FAILS, form_key="beside the yearly one")
    before = the_newest()
    stage.sleep_until(Subscription.objects.get(frequency="month").renews_on)
    stage.advance(20)
    assert Subscription.objects.latest("pk").status == "canceled"
    assert the_newest() == before
    assert Case.objects.filter(kind="failed_beside").count() == 1


def test_what_the_bank_wants_confirmed_is_asked_for_three_times(stage: Stage) -> None:
    stage.stripe.world.policy.retry_days = (8, 12)
    stage.join("month", amount="10")
    stage.stripe.set_payment_method(Subscription.objects.get().stripe_customer_id, "4000002760003184")
    found = letters(stage, 6)
    assert [each for each in found if each[1] != "receipt_recurring"] == [
        (0, "action_required"),
        (2, "action_required"),
        (5, "action_required"),
    ]


def test_the_last_day_of_a_card_is_announced_twice(stage: Stage) -> None:
    stage.begin(date(2027, 1, 20))
    stage.pay(stage.give("month", amount="10"), expires=(4, 2027))
    stage.settle_down()
    stage.sleep_until(date(2027, 2, 27))
    stage.advance(1)
    assert "card_expiring" not in the_newest()
    stage.advance(1)
    assert the_newest().count("card_expiring") == 1
    stage.sleep(13)
    stage.advance(1)
    assert the_newest().count("card_expiring") == 2
    assert "30 April 2027" in str(Message.objects.filter(kind="card_expiring").latest("pk").subject)
