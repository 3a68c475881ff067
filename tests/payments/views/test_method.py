"""The page behind an email's link to change card or bank, and the retry of an overdue payment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from payments.models import (
    Case,
    OverdueTry,
    Payment,
    PortalConfiguration,
    PortalVisit,
    StripeEvent,
    Subscription,
)
from payments.recurring import unanswered
from payments.webhooks import drain
from tests.payments.reader_links import (
    ASKS,
    GOOD,
    NO_FUNDS,
    SEPA,
    change_card,
    confirm_page,
    fall_behind,
    method_page,
    press,
    rows,
    state_of,
    stop_page,
)
from tests.payments.test_stripe_requests import wait
from tests.stage import Stage

pytestmark = pytest.mark.django_db


def test_the_button_leads_to_stripe_s_page_and_a_get_changes_nothing(stage: Stage) -> None:
    stage.join("month", amount="10")
    before, asked = rows(), len(stage.stripe.requests)
    for _ in range(50):
        page = stage.client.get(method_page())
    assert state_of(page.content) == "ask"
    assert page.content.decode().count("<button") == 1
    assert "Visa 4242" in page.content.decode()
    assert rows() == before
    assert len(stage.stripe.requests) == asked, "a mail scanner asks Stripe for nothing"
    for _ in range(2):
        answer = stage.client.post(method_page())
        assert answer.status_code == 303
        assert answer["Location"].startswith(f"{stage.stripe.base_url}/portal/")
    assert PortalConfiguration.objects.count() == 1
    keys = [each.idempotency_key for each in stage.stripe.requests if "billing_portal" in each.path]
    assert len(set(keys)) == 3, "one configuration, two visits, each with the key of its row"


def test_another_card_is_said_when_it_is_known(stage: Stage) -> None:
    stage.join("month", amount="10")
    back = change_card(stage, card_number=GOOD)
    assert state_of(stage.client.get(back).content) == "checking"
    stage.settle_down()
    page = stage.client.get(back)
    assert state_of(page.content) == "changed"
    assert "Mastercard 4444" in page.content.decode()
    assert not OverdueTry.objects.exists()


def test_the_way_back_asks_stripe_through_the_queue_when_no_event_came(stage: Stage) -> None:
    stage.join("month", amount="10")
    back = change_card(stage, card_number=GOOD)
    stage.stripe.outbox().clear()
    for _ in range(20):
        stage.client.get(back)
    assert StripeEvent.objects.filter(type="sync.subscription", state="pending").count() <= 2
    for _ in range(2):  # the new card is seen and set, then read
        stage.work()
    assert state_of(stage.client.get(back).content) == "changed"


def test_who_comes_back_without_a_change_is_told_so(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.client.post(method_page())
    page = stage.client.get(f"{method_page()}?left=1")
    assert state_of(page.content) == "left"
    assert "everything is as it was" in page.content.decode()
    assert state_of(stage.client.get(f"{method_page()}?back=1").content) == "checking"
    assert "do not know yet" in stage.client.get(f"{method_page()}?back=1&try=6").content.decode()


def test_an_overdue_payment_is_tried_at_once_and_the_page_says_it_is_paid(stage: Stage) -> None:
    payment = fall_behind(stage)
    assert "tried at once" in stage.client.get(method_page()).content.decode()
    back = change_card(stage, card_number=GOOD)
    stage.settle_down()
    page = stage.client.get(back)
    assert state_of(page.content) == "paid"
    payment.refresh_from_db()
    assert payment.status == "succeeded"
    assert Subscription.objects.get().status == "active"
    pays = [each for each in stage.stripe.requests if each.path.endswith("/pay")]
    assert [each.idempotency_key for each in pays] == [OverdueTry.objects.get().idempotency_key]
    assert stage.books()["broken"] == []


def test_it_is_tried_also_when_the_reader_never_comes_back_and_once_a_card(stage: Stage) -> None:
    fall_behind(stage)
    change_card(stage, card_number=NO_FUNDS)
    stage.settle_down()
    for _ in range(3):
        stage.client.get(f"{method_page()}?back=1")
        stage.settle_down()
    assert OverdueTry.objects.get().state == "failed"
    assert len([each for each in stage.stripe.requests if each.path.endswith("/pay")]) == 1
    change_card(stage, card_number=GOOD)
    stage.settle_down()
    assert OverdueTry.objects.count() == 2
    assert Payment.objects.filter(status="succeeded").count() == 2


def test_a_card_that_is_refused_too_is_said_in_plain_words(stage: Stage) -> None:
    fall_behind(stage)
    back = change_card(stage, card_number=NO_FUNDS)
    stage.settle_down()
    page = stage.client.get(back).content
    assert state_of(page) == "declined"
    assert "not enough money" in page.decode()
    assert "insufficient_funds" not in page.decode()
    assert page.decode().count("<button") == 1
    assert stage.client.post(method_page()).status_code == 303


def test_a_bank_that_wants_to_be_asked_leads_to_its_confirmation(stage: Stage) -> None:
    payment = fall_behind(stage)
    back = change_card(stage, card_number=ASKS)
    stage.settle_down()
    page = stage.client.get(back).content
    assert state_of(page) == "confirm"
    assert confirm_page(payment) in page.decode()


def test_a_bank_debit_is_under_way(stage: Stage) -> None:
    fall_behind(stage)
    back = change_card(stage, method="sepa", iban=SEPA)
    stage.settle_down()
    assert state_of(stage.client.get(back).content) == "processing"
    stage.advance(6)
    assert state_of(stage.client.get(back).content) == "paid"


@pytest.mark.parametrize("fault", ["drop", "commit_then_drop", "500"])
def test_a_try_that_nobody_answered_is_taken_up_again(stage: Stage, fault: str) -> None:
    fall_behind(stage)
    back = change_card(stage, card_number=GOOD)
    stage.stripe.fail(fault, times=2, path="/pay", method="POST")
    for _ in range(2):
        stage.bring()
        stage.work()
    stage.stripe.clear_faults()
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    assert state_of(stage.client.get(back).content) == "paid"
    assert len(stage.stripe.events("invoice.paid")) == 2


def test_a_try_that_nobody_answered_is_given_up_with_the_gift(stage: Stage) -> None:
    """The gift was stopped since the request: Stripe would still take the money of the invoice."""
    payment = fall_behind(stage)
    change_card(stage, card_number=GOOD)
    stage.stripe.fail("drop", times=2, path="/pay", method="POST")
    for _ in range(2):
        stage.bring()
        stage.work()
    stage.stripe.clear_faults()
    assert OverdueTry.objects.get().state == "requested"
    assert press(stage, "stop") == "done"
    wait(stage, timedelta(minutes=3))
    unanswered.retry()
    stage.settle_down()
    payment.refresh_from_db()
    assert (payment.status, OverdueTry.objects.get().state) == ("failed", "accepted")


def test_a_card_changed_while_a_stop_waits_for_stripe_pays_for_nothing_open(stage: Stage) -> None:
    payment = fall_behind(stage)
    stage.stripe.fail("drop", times=20, path="/v1/subscriptions", method="DELETE")
    stage.client.post(stop_page(), {"do": "stop"})
    change_card(stage, card_number=GOOD)
    stage.settle_down()
    payment.refresh_from_db()
    assert (payment.status, OverdueTry.objects.count()) == ("failed", 0)


def test_a_retry_of_stripe_s_own_that_was_faster_is_no_refusal(stage: Stage) -> None:
    payment = fall_behind(stage)
    back = change_card(stage, card_number=GOOD)
    stage.bring()
    stage.work()
    stage.bring()
    drain.until_nothing_is_due()
    stage.stripe.pay_invoice(payment.stripe_invoice_id)
    stage.settle_down()
    assert OverdueTry.objects.get().state == "accepted"
    assert state_of(stage.client.get(back).content) == "paid"


@pytest.mark.parametrize(("fault", "status", "state"), [("drop", 503, "unavailable"), ("500", 503, "unavailable")])
def test_stripe_is_away(stage: Stage, fault: str, status: int, state: str) -> None:
    stage.join("month", amount="10")
    stage.stripe.fail(fault, times=20, path="billing_portal", method="POST")
    answer = stage.client.post(method_page())
    assert (answer.status_code, state_of(answer.content)) == (status, state)
    assert answer["Retry-After"] == "60"
    assert answer.content.decode().count("<button") == 1, "the way stays open"
    stage.stripe.clear_faults()
    assert stage.client.post(method_page()).status_code == 303


def test_a_configuration_that_stripe_does_not_know_is_made_anew(stage: Stage) -> None:
    stage.join("month", amount="10")
    assert stage.client.post(method_page()).status_code == 303
    PortalConfiguration.objects.update(stripe_configuration_id="bpc_of_another_account")
    assert stage.client.post(method_page()).status_code == 303
    assert PortalConfiguration.objects.filter(state="failed").count() == 1


def test_a_customer_that_stripe_does_not_know_is_said(stage: Stage) -> None:
    stage.join("month", amount="10")
    Subscription.objects.update(stripe_customer_id="cus_unknown")
    answer = stage.client.post(method_page())
    assert (answer.status_code, state_of(answer.content)) == (502, "refused")
    assert "newsroom.invalid" in answer.content.decode()
    case = Case.objects.get()
    assert (case.kind, case.facts["reason"]) == ("request_refused", "resource_missing")


def test_a_gift_that_is_over_offers_to_start_again(stage: Stage) -> None:
    stage.join("month", amount="10")
    Subscription.objects.update(status="canceled")
    for answer in (stage.client.get(method_page()), stage.client.post(method_page())):
        assert state_of(answer.content) == "over"
        assert "/support/?frequency=month&amp;amount=10&amp;currency=EUR" in answer.content.decode()
    assert not PortalVisit.objects.exists()
