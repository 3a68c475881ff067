"""A reader changes the card of a gift on Stripe's page, which changes the default of the customer only: our software
sets it for the gift, what is overdue is tried with it, and later renewals are taken from it.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from members.models import Message
from payments.models import Case, MethodChange, OverdueTry, Payment, Subscription
from payments.recurring import unanswered
from tests.journeys.test_changes_at_stripe import sdk
from tests.payments.reader_links import GOOD, SEPA, change_card, fall_behind, method_page, press, state_of
from tests.payments.test_stripe_requests import wait
from tests.stage import Stage
from tests.stripe_simulator.test_pages import browse


def one() -> Subscription:
    return Subscription.objects.get()


def at_stripe(stage: Stage) -> dict[str, Any]:
    return stage.stripe.get(one().stripe_subscription_id, expand=["customer"])


def charged(stage: Stage) -> list[str]:
    """The ends of the cards that were charged, in order."""
    charges = [each for each in stage.stripe.world.store.all("charge") if each["status"] == "succeeded"]
    return [each["payment_method_details"]["card"]["last4"] for each in sorted(charges, key=lambda c: c["created"])]


def sets(stage: Stage) -> list[str | None]:
    """The keys of the requests that set a gift's method."""
    return [each.idempotency_key for each in stage.stripe.requests if "default_payment_method" in each.params]


def test_stripe_s_page_changes_the_default_of_the_customer_alone(stage: Stage) -> None:
    stage.join("month", amount="10")
    before = at_stripe(stage)
    change_card(stage, card_number=GOOD)
    after = at_stripe(stage)
    assert after["default_payment_method"] == before["default_payment_method"]
    assert after["customer"]["invoice_settings"]["default_payment_method"] != before["default_payment_method"]


def test_two_later_renewals_are_taken_from_the_new_card(stage: Stage) -> None:
    stage.join("month", amount="10")
    back = change_card(stage, card_number=GOOD)
    stage.settle_down()
    assert state_of(stage.client.get(back).content) == "changed"
    assert sets(stage) == [MethodChange.objects.get().idempotency_key]
    assert MethodChange.objects.get().state == "seen"
    assert one().method == "Mastercard 4444"
    stage.sleep(64)
    assert charged(stage) == ["4242", "4444", "4444"]
    assert not OverdueTry.objects.exists()
    assert stage.books()["broken"] == []


def test_what_is_overdue_is_taken_from_it_and_so_are_two_renewals(stage: Stage) -> None:
    payment = fall_behind(stage)
    back = change_card(stage, card_number=GOOD)
    stage.settle_down()
    assert state_of(stage.client.get(back).content) == "paid"
    payment.refresh_from_db()
    assert (payment.status, payment.method) == ("succeeded", "Mastercard 4444")
    stage.sleep(60)
    assert charged(stage) == ["0341", "4444", "4444", "4444"]
    assert one().status == "active"
    assert stage.books()["broken"] == []


def test_a_bank_account_pays_from_then_on_too(stage: Stage) -> None:
    stage.join("month", amount="10")
    change_card(stage, method="sepa", iban=SEPA)
    stage.settle_down()
    assert one().method == "SEPA 3000"
    stage.sleep(40)
    assert Payment.objects.filter(method="SEPA 3000", status="succeeded").count() == 1


def test_the_letter_about_a_card_that_runs_out_is_true(stage: Stage) -> None:
    checkout = stage.give("month", amount="10")
    stage.pay(checkout, expires=(4, 2026))
    stage.settle_down()
    stage.advance(35)
    letter = Message.objects.filter(kind="card_expiring").first()
    assert letter is not None
    page = re.sub(r"^https?://[^/]+", "", letter.context["method_url"]).split("?")[0]
    browse(stage.client.post(page)["Location"], action="method", card_number=GOOD)
    stage.settle_down()
    stage.sleep(60)
    assert charged(stage)[-2:] == ["4444", "4444"]
    assert not Payment.objects.filter(status="failed").exists()


def test_a_card_that_was_removed_is_replaced(stage: Stage) -> None:
    stage.join("month", amount="10")
    sdk(stage).v1.payment_methods.detach(one().stripe_payment_method_id, options={"idempotency_key": "dashboard"})
    stage.settle_down()
    assert one().method_problem == "detached"
    change_card(stage, card_number=GOOD)
    stage.settle_down()
    assert (one().method, one().method_problem) == ("Mastercard 4444", "")
    stage.sleep(33)
    assert charged(stage) == ["4242", "4444"]


def test_a_debit_that_the_bank_ended_is_replaced(stage: Stage) -> None:
    stage.join("month", amount="10", iban=SEPA)
    stage.sleep(8)
    stage.stripe.revoke_mandate(one().stripe_payment_method_id)
    stage.settle_down()
    letter = Message.objects.get(kind="mandate_cancelled")
    page = re.sub(r"^https?://[^/]+", "", letter.context["method_url"]).split("?")[0]
    browse(stage.client.post(page)["Location"], action="method", card_number=GOOD)
    stage.settle_down()
    assert (one().method, one().method_problem) == ("Mastercard 4444", "")
    stage.sleep(30)
    assert Payment.objects.filter(method="Mastercard 4444", status="succeeded").count() == 1


@pytest.mark.parametrize("fault", ["drop", "commit_then_drop", "500", "commit_then_500"])
def test_an_answer_of_stripe_s_that_was_lost_is_asked_for_again(stage: Stage, fault: str) -> None:
    fall_behind(stage)
    back = change_card(stage, card_number=GOOD)
    stage.stripe.fail(fault, times=20, path="/v1/subscriptions", method="POST")
    stage.settle_down()
    is_heard_of = fault.startswith("commit")  # then Stripe's event tells
    assert state_of(stage.client.get(back).content) == ("paid" if is_heard_of else "checking")
    stage.stripe.clear_faults()
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    assert state_of(stage.client.get(back).content) == "paid"
    assert MethodChange.objects.get().state == "seen"
    assert at_stripe(stage)["default_payment_method"] == one().stripe_payment_method_id


def test_a_day_of_silence_later_it_is_looked_up_first(stage: Stage) -> None:
    stage.join("month", amount="10")
    change_card(stage, card_number=GOOD)
    stage.stripe.fail("commit_then_drop", times=2, path="/v1/subscriptions", method="POST")
    stage.settle_down()
    stage.stripe.clear_faults()
    MethodChange.objects.update(state="requested")
    wait(stage, timedelta(hours=30))
    asked = len(sets(stage))
    unanswered.retry()
    assert len(sets(stage)) == asked, "Stripe has it already"
    assert MethodChange.objects.get().state in ("accepted", "seen")


def test_it_needs_no_event_when_the_reader_comes_back(stage: Stage) -> None:
    fall_behind(stage)
    back = change_card(stage, card_number=GOOD)
    stage.stripe.outbox().clear()
    stage.stripe.deliverer.holding = True
    assert state_of(stage.client.get(back).content) == "checking"
    stage.work()
    stage.work()
    assert MethodChange.objects.get().state in ("accepted", "seen")
    stage.settle_down()
    assert state_of(stage.client.get(back).content) == "paid"


def test_a_new_default_in_the_dashboard_leaves_the_gift_its_own(stage: Stage) -> None:
    payment = fall_behind(stage)
    stage.stripe.set_payment_method(one().stripe_customer_id, GOOD, only_default=True)
    stage.settle_down()
    payment.refresh_from_db()
    assert payment.status == "failed"
    assert (one().method, MethodChange.objects.count()) == ("Visa 0341", 0)


def test_a_gift_without_a_method_of_its_own_follows_the_customer_s(stage: Stage) -> None:
    payment = fall_behind(stage)
    world = stage.stripe.world
    with world.transaction():
        world.update(world.get("subscription", one().stripe_subscription_id), default_payment_method=None)
    stage.stripe.set_payment_method(one().stripe_customer_id, GOOD, only_default=True)
    stage.settle_down()
    payment.refresh_from_db()
    assert (payment.status, one().method) == ("succeeded", "Mastercard 4444")
    assert not MethodChange.objects.exists()
    stage.sleep(30)
    assert charged(stage)[-1] == "4444"


def test_what_staff_choose_later_for_the_gift_stands(stage: Stage) -> None:
    stage.join("month", amount="10")
    change_card(stage, card_number=GOOD)
    stage.settle_down()
    world = stage.stripe.world
    first = Payment.objects.get()
    old = stage.stripe.get(first.stripe_charge_id)["payment_method"]
    with world.transaction():
        agreed = world.get("subscription", one().stripe_subscription_id)
        world.update(agreed, "customer.subscription.updated", default_payment_method=old)
    stage.settle_down()
    assert one().method == "Visa 4242"
    assert MethodChange.objects.count() == 1


def test_a_default_changed_long_after_a_visit_is_not_that_visit_s(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.client.post(method_page())
    stage.sleep(5)
    stage.stripe.set_payment_method(one().stripe_customer_id, GOOD, only_default=True)
    stage.settle_down()
    assert not MethodChange.objects.exists()


def test_an_event_that_comes_days_later_still_counts_for_its_visit(stage: Stage) -> None:
    """And for a visit before another one, on which nothing was changed."""
    stage.join("month", amount="10")
    change_card(stage, card_number=GOOD)
    stage.client.post(method_page())
    wait(stage, timedelta(days=3))
    stage.stripe.advance(days=3)
    stage.settle_down()
    assert one().method == "Mastercard 4444"
    assert MethodChange.objects.count() == 1


def test_it_counts_also_where_an_invoice_is_read_first(stage: Stage) -> None:
    """A subscription that is read with its invoice says less about the default of its customer."""
    fall_behind(stage)
    change_card(stage, card_number=GOOD)
    wait(stage, timedelta(days=3))
    again = stage.stripe.events("invoice.payment_failed")[-1] | {"id": "evt_again"}
    assert stage.post(again) == 200
    stage.stripe.deliver(stage.stripe.events("customer.updated")[-1:])
    stage.work()
    assert MethodChange.objects.count() == 1


def test_a_card_that_is_gone_by_then_is_said_and_staff_have_a_case(stage: Stage) -> None:
    stage.join("month", amount="10")
    back = change_card(stage, card_number=GOOD)
    stage.bring()
    world = stage.stripe.world
    stage.stripe.fail("drop", times=2, path="/v1/subscriptions", method="POST")
    stage.work()
    stage.stripe.clear_faults()
    with world.transaction():
        world.update(world.get("payment_method", MethodChange.objects.get().stripe_payment_method_id), customer=None)
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    page = stage.client.get(back)
    assert state_of(page.content) == "refused"
    assert page.content.decode().count("<button") == 1, "another try is possible"
    assert MethodChange.objects.get().state == "failed"
    assert Case.objects.filter(kind="request_refused").count() == 1
    assert one().method == "Visa 4242"


def test_a_gift_that_was_stopped_at_once_meanwhile_is_not_asked_for(stage: Stage) -> None:
    fall_behind(stage)
    change_card(stage, card_number=GOOD)
    stage.stripe.fail("drop", times=20, path="/v1/subscriptions", method="POST")
    stage.settle_down()
    stage.stripe.clear_faults()
    assert press(stage, "stop") == "done"
    stage.settle_down()
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    assert MethodChange.objects.get().state == "overtaken"
    assert [payment.status for payment in Payment.objects.order_by("pk")] == ["succeeded", "failed"]
