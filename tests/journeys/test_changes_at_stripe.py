"""What somebody does in Stripe's dashboard, or the bank does to a card, is followed; what is not ours has no effect."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import stripe

from members import clock
from members.models import Membership, Message, Supporter, TimelineEntry
from payments.models import Case, Payment, StripeEvent, Subscription
from tests.stage import KEY, Stage, link


def sdk(stage: Stage) -> stripe.StripeClient:
    return stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url})


def one() -> Subscription:
    return Subscription.objects.get()


def test_a_subscription_stopped_in_the_dashboard_is_confirmed_by_mail(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.cancel(one().stripe_subscription_id, at_period_end=True)
    stage.settle_down()
    assert one().is_stopping
    assert Message.objects.filter(kind="cancelled").count() == 1


def test_more_agreed_on_in_the_dashboard_is_thanked_for(stage: Stage) -> None:
    stage.join("month", amount="10")
    client = sdk(stage)
    agreed = client.v1.subscriptions.retrieve(one().stripe_subscription_id)
    item = agreed["items"]["data"][0]
    price = {
        "currency": "eur",
        "unit_amount": 1500,
        "recurring": {"interval": "month"},
        "product": item["price"]["product"],
    }
    change = {"items": [{"id": item["id"], "price_data": price}], "proration_behavior": "none"}
    client.v1.subscriptions.update(agreed["id"], change)  # type: ignore[arg-type]
    stage.settle_down()
    assert one().amount == 1500
    letter = Message.objects.get(kind="thanks_upgrade")
    assert letter.subject == "Now €15.00 every month: thank you"
    assert "Before, it was €10.00." in letter.body_text


def test_collection_paused_and_resumed(stage: Stage) -> None:
    stage.join("month", amount="10")
    client = sdk(stage)
    client.v1.subscriptions.update(one().stripe_subscription_id, {"pause_collection": {"behavior": "void"}})
    stage.settle_down()
    assert (one().status, one().collection_paused) == ("active", True)
    client.v1.subscriptions.update(one().stripe_subscription_id, {"pause_collection": ""})
    stage.settle_down()
    assert one().collection_paused is False


def test_a_new_card_is_known_and_a_removed_one_is_a_problem(stage: Stage) -> None:
    stage.join("month", amount="10")
    assert one().method == "Visa 4242"
    assert one().method_expires_on is not None
    stage.stripe.set_payment_method(one().stripe_customer_id, "5555555555554444")
    stage.settle_down()
    assert one().method == "Mastercard 4444"
    sdk(stage).v1.payment_methods.detach(one().stripe_payment_method_id, options={"idempotency_key": "dashboard"})
    stage.settle_down()
    assert one().method_problem == "detached"
    assert Case.objects.get().kind == "method_problem"
    stage.stripe.set_payment_method(one().stripe_customer_id, "4242424242424242")
    stage.settle_down()
    assert one().method_problem == ""


def test_a_card_removed_before_we_hear_of_the_subscription_is_a_problem_all_the_same(stage: Stage) -> None:
    stage.pay(stage.give("month"))
    [agreed] = stage.stripe.world.store.all("subscription")
    client = sdk(stage)
    client.v1.payment_methods.detach(agreed["default_payment_method"], options={"idempotency_key": "dashboard"})
    detached = stage.stripe.events("payment_method.detached")
    stage.stripe.deliver(detached)
    stage.work()
    stage.settle_down()
    assert one().method_problem == "detached"
    assert Case.objects.get().kind == "method_problem"


def test_a_card_removed_without_a_word_whose_it_was_is_a_problem_all_the_same(stage: Stage) -> None:
    stage.join("month", amount="10")
    method = one().stripe_payment_method_id
    sdk(stage).v1.payment_methods.detach(method, options={"idempotency_key": "dashboard"})
    [detached] = stage.stripe.outbox()
    del detached["data"]["previous_attributes"]
    assert stage.post(detached) == 200
    stage.work()
    assert one().method_problem == "detached"


def test_the_other_form_of_pause_and_resume(stage: Stage) -> None:
    stage.join("month", amount="10")
    client = sdk(stage)
    how = {"type": "subscription", "bill_for": {"unused_time_from": {"type": "none"}}}
    client.v1.subscriptions.pause(one().stripe_subscription_id, how)
    stage.settle_down()
    assert one().status == "paused"
    told = Message.objects.get(kind="paused")
    assert "Nothing is charged meanwhile." in told.body_text
    page = stage.client.get(link(told.body_text, "/stop/")).content.decode()
    assert 'data-state="paused"' in page
    assert "data-next-on" not in page
    stage.sleep(40)
    assert Payment.objects.count() == 1
    client.v1.subscriptions.resume(one().stripe_subscription_id, {})
    stage.settle_down()
    assert one().status == "active"
    assert Message.objects.get(kind="resumed").context["renews_on"] == one().renews_on.isoformat()
    assert Payment.objects.filter(status="succeeded").count() == 2


def test_the_next_debit_is_of_the_amount_agreed_in_the_dashboard(stage: Stage) -> None:
    """Lowered while a renewal of the old amount is untold: each payment is what was billed, and nobody is alarmed."""
    stage.join("month", amount="10")
    clock.move(timedelta(days=33))
    stage.stripe.advance(days=33)
    item = stage.stripe.get(one().stripe_subscription_id)["items"]["data"][0]
    price = {
        "currency": "eur",
        "product": item["price"]["product"],
        "unit_amount": 500,
        "recurring": {"interval": "month"},
    }
    changed = {"items": [{"id": item["id"], "price_data": price}], "proration_behavior": "none"}
    sdk(stage).v1.subscriptions.update(one().stripe_subscription_id, changed)
    stage.settle_down()
    assert one().amount == 500
    stage.sleep(31)
    assert list(Payment.objects.order_by("pk").values_list("amount", flat=True)) == [1000, 1000, 500]
    assert not Case.objects.exists()


def test_an_invoice_that_stripe_cannot_finish_is_a_case_and_is_paid_when_it_is_mended(stage: Stage) -> None:
    stage.join("month", amount="10")
    stage.stripe.break_invoices(one().stripe_subscription_id)
    stage.sleep(33)
    assert StripeEvent.objects.get(type="invoice.finalization_failed").state == "processed"
    case = Case.objects.get(kind="invoice_problem")
    assert case.facts == {"subscription": one().pk, "invoice": stage.stripe.world.store.all("invoice")[-1]["id"]}
    assert Payment.objects.count() == 1
    stage.stripe.mend_invoices(one().stripe_subscription_id)
    stage.settle_down()
    assert Payment.objects.filter(status="succeeded").count() == 2


def test_an_unfinished_invoice_told_before_its_subscription_is_a_case(stage: Stage) -> None:
    stage.pay(stage.give("month"))
    agreed = stage.stripe.world.store.all("subscription")[0]["id"]
    stage.stripe.break_invoices(agreed)
    stage.stripe.advance(days=33)
    told = stage.stripe.events("invoice.finalization_failed")
    assert [stage.post(event) for event in told] == [200]
    stage.work()
    assert Case.objects.get().kind == "invoice_problem"
    assert StripeEvent.objects.get(type="invoice.finalization_failed").state == "processed"


def test_a_card_corrected_in_the_dashboard_or_by_its_network_is_known(stage: Stage) -> None:
    stage.join("month", amount="10")
    for year, by_hand in ((2041, True), (2042, False)):
        stage.stripe.update_card(one().stripe_payment_method_id, (5, year), by_hand=by_hand)
        stage.settle_down()
        assert one().method_expires_on == date(year, 5, 31)
    states = dict(StripeEvent.objects.filter(type__startswith="payment_method.").values_list("type", "state"))
    assert {states["payment_method.updated"], states["payment_method.automatically_updated"]} == {"processed"}


def test_a_revoked_mandate_is_a_problem_for_staff(stage: Stage) -> None:
    stage.join("month", amount="10", iban="DE89370400440532013000")
    stage.advance(6)
    stage.stripe.revoke_mandate(one().stripe_payment_method_id)
    stage.settle_down()
    assert one().method_problem == "mandate_inactive"
    assert Case.objects.get().kind == "method_problem"


def test_a_mandate_revoked_before_we_hear_of_the_subscription_is_a_problem_all_the_same(stage: Stage) -> None:
    stage.pay(stage.give("month"), iban="DE89370400440532013000")
    stage.stripe.advance(days=6)
    [agreed] = stage.stripe.world.store.all("subscription")
    stage.stripe.revoke_mandate(agreed["default_payment_method"])
    stage.stripe.deliver(stage.stripe.events("mandate.updated"))
    stage.work()
    assert StripeEvent.objects.get().state == "parked"
    stage.settle_down()
    assert one().method_problem == "mandate_inactive"
    assert Case.objects.get().kind == "method_problem"


def test_a_mandate_and_a_card_of_somebody_else_are_foreign(stage: Stage) -> None:
    client = sdk(stage)
    price = {
        "currency": "eur",
        "unit_amount": 500,
        "product_data": {"name": "A box"},
        "recurring": {"interval": "month"},
    }
    session = client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price_data": price, "quantity": 1}],
            "success_url": "http://testserver/",
        },
        {"idempotency_key": "shop"},
    )
    stage.stripe.pay(session.id, iban="DE89370400440532013000")
    stage.stripe.advance(days=6)
    [agreed] = stage.stripe.world.store.all("subscription")
    stage.stripe.revoke_mandate(agreed["default_payment_method"])
    client.v1.payment_methods.detach(agreed["default_payment_method"], options={"idempotency_key": "shop-card"})
    client.v1.customers.update(agreed["customer"], {"email": "other@example.org"}, {"idempotency_key": "shop-who"})
    stage.settle_down()
    # What an invoice's default payment brought is left to the invoice's own events, whosever it is.
    heard = StripeEvent.objects.exclude(type__startswith="payout.").exclude(type="invoice_payment.paid")
    assert set(heard.values_list("state", flat=True)) == {"foreign", "ignored"}
    types = set(heard.filter(state="foreign").values_list("type", flat=True))
    assert {"mandate.updated", "payment_method.detached", "customer.updated", "payment_intent.processing"} <= types


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_a_deleted_customer_is_noted_and_keeps_the_books(stage: Stage, frequency: str) -> None:
    stage.join(frequency, amount="10")
    customer = Payment.objects.get().stripe_customer_id
    sdk(stage).v1.customers.delete(customer, options={"idempotency_key": "dashboard"})
    stage.settle_down()
    noted = TimelineEntry.objects.get(action="customer.deleted")
    assert (noted.supporter, noted.details) == (Supporter.objects.get(), {"customer": customer})
    assert set(Subscription.objects.values_list("status", flat=True)) <= {"canceled"}
    assert Payment.objects.get().status == "succeeded"


@pytest.mark.parametrize("frequency", ["once", "month"])
def test_another_address_at_stripe_is_shown_to_staff_and_ours_stays(stage: Stage, frequency: str) -> None:
    stage.join(frequency, amount="10")
    customer = Payment.objects.get().stripe_customer_id
    for address in ("Olena@example.org", "other@example.org", "other@example.org"):
        sdk(stage).v1.customers.update(customer, {"email": address}, {"idempotency_key": f"dashboard-{address}"})
    sdk(stage).v1.customers.update(customer, {"name": "Olena"}, {"idempotency_key": "dashboard-name"})
    stage.settle_down()
    case = Case.objects.get()
    assert (case.kind, case.supporter, case.facts) == ("email_differs", Supporter.objects.get(), {"customer": customer})
    assert Supporter.objects.get().email == "olena@example.org"
    assert "other@example.org" not in case.key


def test_objects_on_a_shared_account_that_are_not_ours_have_no_effect(stage: Stage) -> None:
    client = sdk(stage)
    price = {"currency": "eur", "unit_amount": 500, "product_data": {"name": "A book"}}
    session = client.v1.checkout.sessions.create(
        {"mode": "payment", "line_items": [{"price_data": price, "quantity": 1}], "success_url": "http://testserver/"},
        {"idempotency_key": "shop"},
    )
    stage.stripe.pay(session.id)
    stage.stripe.refund(session.id, 100)
    stage.settle_down()
    assert not Supporter.objects.exists()
    assert not Payment.objects.exists()
    heard = StripeEvent.objects.exclude(type__startswith="payout.")
    assert set(heard.values_list("state", flat=True)) == {"foreign", "ignored"}
    foreign = set(heard.filter(state="foreign").values_list("type", flat=True))
    assert {"checkout.session.completed", "payment_intent.succeeded", "charge.succeeded", "refund.created"} <= foreign
    assert stage.books()["currencies"] == {}


def test_money_that_comes_after_the_end_is_booked_and_flagged(stage: Stage) -> None:
    stage.join("month", amount="10", card="4000000000000341")
    stage.sleep(33)
    invoice = Payment.objects.get(status="failed").stripe_invoice_id
    stage.stripe.set_payment_method(one().stripe_customer_id)
    stage.stripe.cancel(one().stripe_subscription_id)
    stage.settle_down()
    assert one().status == "canceled"
    stage.stripe.advance(seconds=600)
    assert stage.stripe.pay_invoice(invoice) == "paid"
    stage.settle_down()
    assert Payment.objects.filter(status="succeeded").count() == 2
    assert Case.objects.get(kind="payment_after_end").facts["subscription"] == one().pk
    assert Membership.objects.get().ended_on is not None
    assert stage.books()["broken"] == []
