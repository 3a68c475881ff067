"""Paid twice by accident: noticed at once, in view of staff, settled by them in one act from its case."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import stripe
from django.test import Client
from django.urls import reverse

from members import clock
from members.models import Message, Supporter
from payments.models import Case, Checkout, Payment, Refund, RefundRequest, Subscription
from payments.recurring import unanswered
from tests import colleagues, factories
from tests.stage import KEY, Stage, hidden_fields

IN_VIEW_WITHIN = timedelta(minutes=10)


@pytest.fixture
def desk(db: None) -> Client:
    return at_desk(factories.staff())


def at_desk(who: Any) -> Client:
    client = Client()
    colleagues.sign_in(client, who)
    return client


def act(case: Case, slug: str) -> str:
    return reverse(f"admin:payments_case_{slug}", args=[case.pk])


def page_of(case: Case) -> str:
    return reverse("admin:payments_case_change", args=[case.pk])


def confirming(desk: Client, case: Case, slug: str, which: object, sentence: str = "") -> tuple[str, dict[str, str]]:
    """The page before it happens, and what its button sends."""
    page = desk.post(act(case, slug), {"which": str(which), "sentence": sentence}).content.decode()
    request_id = re.search(r'name="request_id" value="([^"]+)"', page)
    assert request_id, page
    return page, {
        **{name: unescape(value) for name, value in hidden_fields(page).items()},
        "request_id": request_id.group(1),
    }


def two_gifts(stage: Stage) -> Case:
    """Two tabs, both paid."""
    first, second = stage.give("once", amount="25"), stage.give("once", amount="25")
    stage.pay(first)
    stage.pay(second)
    stage.settle_down()
    return Case.objects.get()


def two_subscriptions(stage: Stage) -> Case:
    stage.join("month", amount="10")
    stage.join("month", amount="20")
    return Case.objects.get()


# In view of staff


def test_a_duplicate_is_in_view_of_staff_within_ten_minutes_of_being_paid(stage: Stage, desk: Client) -> None:
    case = two_gifts(stage)
    paid = max(Payment.objects.values_list("paid_at", flat=True))
    assert case.opened_at - paid < IN_VIEW_WITHIN
    front = desk.get("/admin/").content.decode()
    assert re.search(r"Open cases</dt>\s*<dd>\s*<a[^>]*>\s*<b[^>]*>1</b>", front), front
    page = desk.get(page_of(case)).content.decode()
    assert act(case, "refund-one") in page
    assert act(case, "stop-one") not in page


def two_sessions(stage: Stage, frequency: str) -> tuple[Checkout, list[str]]:
    """Two sessions that can be paid: what another release, or a hand, may have made of one checkout of ours."""
    checkout = stage.give(frequency, amount="25", name="")
    client = stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url})
    client.v1.checkout.sessions.create(checkout.stripe_params, {"idempotency_key": "another"})
    made = [document["id"] for document in stage.stripe.world.store.all("checkout.session")]
    assert len(made) == 2
    return checkout, made


@pytest.mark.parametrize("hours", [0.1, 23.5])
def test_a_session_that_stripe_made_and_never_told_is_found_again(stage: Stage, hours: float) -> None:
    """The same form sent again, also when Stripe has forgotten the key: never two sessions of one form."""
    choice = {"frequency": "month", "amount": "25", "currency": "EUR"}
    page = stage.client.get("/support/details/", choice).content.decode()
    fields = hidden_fields(page) | {"email": "olena@example.org", "name": ""}
    stage.stripe.fail("commit_then_drop", times=2, path="/v1/checkout/sessions", method="POST")
    assert stage.client.post("/support/details/", fields).status_code == 503
    stage.stripe.clear_faults()
    clock.move(timedelta(hours=hours))
    stage.stripe.advance(seconds=hours * 3600)
    assert stage.client.post("/support/details/", fields).status_code == 303
    [made] = stage.stripe.world.store.all("checkout.session")
    assert Checkout.objects.get().stripe_session_id == made["id"]


def pay_both(stage: Stage, checkout: Checkout, sessions: list[str]) -> None:
    """Hours apart, as only a restored tab could; the forgotten one last."""
    for session in reversed(sessions):
        assert stage.stripe.pay(session, email=checkout.email).result == "succeeded"
        stage.settle_down()
        clock.move(timedelta(minutes=12))
        stage.stripe.advance(seconds=720)


def test_a_second_session_of_one_checkout_that_is_paid_is_noticed(stage: Stage, desk: Client) -> None:
    pay_both(stage, *two_sessions(stage, "once"))
    assert Payment.objects.filter(status="succeeded").count() == 2
    case = Case.objects.get()
    assert (case.kind, len(case.facts["payments"])) == ("duplicate_payment", 2)
    assert Message.objects.filter(kind="thanks_first_once").count() == 1
    assert stage.books()["broken"] == []


def test_a_second_session_of_one_recurring_checkout_is_noticed(stage: Stage) -> None:
    pay_both(stage, *two_sessions(stage, "month"))
    first, second = Subscription.objects.order_by("pk")
    assert (first.checkout is not None, second.checkout) == (True, None)
    assert Payment.objects.filter(status="succeeded").count() == 2
    case = Case.objects.get()
    assert (case.kind, case.facts["subscriptions"]) == ("duplicate_subscription", [first.pk, second.pk])
    assert Supporter.objects.get().memberships.count() == 2
    stage.sleep(32)
    assert Payment.objects.filter(status="succeeded").count() == 4
    assert stage.books()["broken"] == []


# Settled in one act


def test_one_of_two_gifts_goes_back(stage: Stage, desk: Client) -> None:
    case = two_gifts(stage)
    first, second = Payment.objects.order_by("pk")
    assert "Which of the gifts goes back?" in desk.get(act(case, "refund-one")).content.decode()
    page, sent = confirming(desk, case, "refund-one", second.pk, "It came twice; one is yours again.")
    assert f"Send €25.00 of payment #{second.pk} back?" in page
    assert "€25.00 is on its way back to you." in page
    assert "It came twice; one is yours again." in page
    assert not RefundRequest.objects.exists()
    for _ in range(2):
        told = desk.post(act(case, "refund-one"), sent, follow=True).content.decode()
        assert "The case is settled, and Stripe was asked." in told
    case.refresh_from_db()
    assert (case.settled_by.username, case.note) == ("marta", f"Asked Stripe to refund payment #{second.pk}.")
    stage.settle_down()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.refunded_amount, second.refunded_amount) == (0, 2500)
    assert RefundRequest.objects.get().reason == "duplicate"
    assert "It came twice; one is yours again." in stage.last_mail()
    assert stage.books()["broken"] == []


def test_one_of_two_subscriptions_stops_and_its_last_payment_goes_back(stage: Stage, desk: Client) -> None:
    case = two_subscriptions(stage)
    first, second = Subscription.objects.order_by("pk")
    assert act(case, "refund-one") not in desk.get(page_of(case)).content.decode()
    page, sent = confirming(desk, case, "stop-one", second.pk)
    assert "Stop €20 a month and refund its last payment?" in page
    assert "Stripe takes no further payment." in page
    assert "€20.00 is on its way back to you." in page
    desk.post(act(case, "stop-one"), sent)
    stage.settle_down()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.is_stopping, second.status) == ("active", False, "canceled")
    assert Payment.objects.get(subscription=second).is_fully_refunded
    assert Payment.objects.get(subscription=first).refunded_amount == 0
    kinds = list(Message.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds[:3] == ["thanks_first_recurring", "duplicate_plan", "thanks_first_recurring"]
    assert sorted(kinds[3:]) == ["cancelled", "refund_done"]
    assert "goes on" not in Message.objects.get(kind="refund_done").body_text
    case.refresh_from_db()
    assert case.settled_at
    assert stage.books()["broken"] == []


def test_money_still_with_the_bank_goes_back_when_it_has_come(stage: Stage, desk: Client) -> None:
    stage.join("month", amount="20")
    stage.join("month", amount="20", iban="DE89370400440532013000", form_key="another tab, by debit")
    case = Case.objects.get(kind="duplicate_subscription")
    second = Subscription.objects.latest("pk")
    page, sent = confirming(desk, case, "stop-one", second.pk)
    assert "€20.00 is still with the bank. When it has come it is sent back by itself." in page
    desk.post(act(case, "stop-one"), sent)
    case.refresh_from_db()
    payment = Payment.objects.get(subscription=second)
    assert case.note == f"Stopped subscription {second}. Payment {payment} goes back when it has come."
    assert not RefundRequest.objects.exists()
    stage.advance(6)
    assert RefundRequest.objects.get().payment == payment
    clock.move(timedelta(minutes=3))
    stage.stripe.advance(seconds=180)
    assert unanswered.retry() == 1
    stage.settle_down()
    payment.refresh_from_db()
    assert payment.is_fully_refunded
    assert stage.books()["broken"] == []


def test_two_of_the_staff_choosing_differently_undo_one(stage: Stage, desk: Client) -> None:
    case = two_subscriptions(stage)
    first, second = Subscription.objects.order_by("pk")
    _page, hers = confirming(desk, case, "stop-one", first.pk)
    colleague = at_desk(factories.staff("petro"))
    _page, his = confirming(colleague, case, "stop-one", second.pk)
    desk.post(act(case, "stop-one"), hers)
    told = colleague.post(act(case, "stop-one"), his, follow=True).content.decode()
    assert "Nothing was done" in told
    stage.settle_down()
    assert [each.status for each in Subscription.objects.order_by("pk")] == ["canceled", "active"]
    assert RefundRequest.objects.count() == 1


def test_when_stripe_is_away_it_is_done_when_stripe_is_back(stage: Stage, desk: Client) -> None:
    case = two_subscriptions(stage)
    second = Subscription.objects.latest("pk")
    _page, sent = confirming(desk, case, "stop-one", second.pk)
    for method in ("POST", "DELETE"):
        stage.stripe.fail("drop", times=100, method=method)
    told = desk.post(act(case, "stop-one"), sent, follow=True).content.decode()
    assert "Stripe does not answer now. Nothing is lost" in told
    stage.stripe.clear_faults()
    clock.move(timedelta(minutes=3))
    stage.stripe.advance(seconds=180)
    assert unanswered.retry() == 2
    stage.settle_down()
    second.refresh_from_db()
    assert second.status == "canceled"
    assert Payment.objects.get(subscription=second).is_fully_refunded


def test_what_stripe_refuses_is_a_new_case(stage: Stage, desk: Client) -> None:
    case = two_gifts(stage)
    second = Payment.objects.latest("pk")
    _page, sent = confirming(desk, case, "refund-one", second.pk)
    stage.stripe.refund(second.stripe_payment_intent_id)
    told = desk.post(act(case, "refund-one"), sent).content.decode()
    assert "a new one says what is left to do" in told
    fresh = Case.objects.get(settled_at=None)
    assert (fresh.kind, fresh.facts["payment"]) == ("request_refused", second.pk)


def test_nothing_chosen_or_something_else_is_asked_again(stage: Stage, desk: Client) -> None:
    case = two_gifts(stage)
    for which in ("", "0", str(factories.payment().pk)):
        page = desk.post(act(case, "refund-one"), {"which": which, "sentence": "A word."}).content.decode()
        assert 'class="error"' in page
        assert "A word." in page
    assert not RefundRequest.objects.exists()


def test_settling_cases_is_not_moving_money(stage: Stage) -> None:
    case = two_gifts(stage)
    client = at_desk(factories.staff("petro", "payments.change_case", "payments.view_payment"))
    page = client.get(page_of(case)).content.decode()
    assert act(case, "settle") in page
    assert act(case, "refund-one") not in page
    assert client.get(act(case, "refund-one")).status_code == 403
    assert client.post(act(case, "refund-one"), {"which": "1"}).status_code == 403


def test_a_case_leads_to_what_it_is_about(stage: Stage, desk: Client) -> None:
    stage.join("once", amount="25")
    refund = stage.stripe.refund(Payment.objects.get().stripe_payment_intent_id, 1000)
    stage.stripe.fail_refund(refund["id"])
    stage.settle_down()
    page = desk.get(page_of(Case.objects.get())).content.decode()
    assert reverse("admin:payments_refund_change", args=[Refund.objects.get().pk]) in page
    assert "€10.00" in page
