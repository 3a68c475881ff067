"""Checkout sessions: created through the SDK, paid on the hosted page, declined, authenticated, pending, expired."""

from __future__ import annotations

import pytest
import stripe

from stripe_simulator import Simulator
from stripe_simulator.life.charging import Result
from stripe_simulator.life.checkout import NotOpen
from tests.stripe_simulator.conftest import Give, Receiver, session_params


def test_a_gift_paid_by_card(give: Give, sim: Simulator, receiver: Receiver) -> None:
    session = give("payment", amount=2500)
    assert (session.status, session.payment_status, session.customer) == ("complete", "paid", None)
    assert session.client_reference_id == "ck_1"
    intent = give.client.v1.payment_intents.retrieve(
        session.payment_intent, {"expand": ["latest_charge.balance_transaction"]}
    )
    assert (intent.status, intent.amount_received, intent.metadata["checkout"]) == ("succeeded", 2500, "ck_1")
    assert intent.latest_charge.metadata["checkout"] == "ck_1"
    row = intent.latest_charge.balance_transaction
    assert (row.amount, row.fee, row.net, row.exchange_rate) == (2500, 60, 2440, None)
    assert sim.flush()
    assert receiver.types == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_a_monthly_gift_paid_by_card(give: Give, sim: Simulator, receiver: Receiver) -> None:
    session = give("subscription")
    subscription = give.client.v1.subscriptions.retrieve(session.subscription, {"expand": ["latest_invoice.payments"]})
    invoice = subscription.latest_invoice
    assert (subscription.status, subscription.metadata["checkout"]) == ("active", "ck_1")
    assert (invoice.status, invoice.billing_reason) == ("paid", "subscription_create")
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert invoice.parent.subscription_details.metadata["checkout"] == "ck_1"
    intent = give.client.v1.payment_intents.retrieve(invoice.payments.data[0].payment.payment_intent)
    assert intent.metadata.to_dict() == {}
    assert intent.customer == session.customer == subscription.customer
    assert session.payment_intent is None
    assert sim.flush()
    assert {"customer.created", "invoice.paid", "invoice_payment.paid", "payment_method.attached"} <= set(
        receiver.types
    )


def test_the_invoice_of_an_intent_is_found_by_its_payment(give: Give) -> None:
    subscription = give.subscription()
    wanted = {"invoice": subscription.latest_invoice}
    payment = give.client.v1.invoice_payments.list(wanted).data[0]
    by_intent = {"payment": {"type": "payment_intent", "payment_intent": payment.payment.payment_intent}}
    assert give.client.v1.invoice_payments.list(by_intent).data[0].invoice == subscription.latest_invoice


def test_a_declined_card_can_be_followed_by_another(give: Give, sim: Simulator, receiver: Receiver) -> None:
    session = give.session("subscription")
    declined = sim.pay(session, "4000 0000 0000 0002")
    assert (declined.result, declined.message) == (Result.FAILED, "Your card was declined.")
    assert sim.pay(session, "4000000000009995").message == "Your card has insufficient funds."
    assert sim.pay(session).result is Result.SUCCEEDED
    assert sim.flush()
    assert receiver.types.count("payment_intent.payment_failed") == 2
    assert receiver.types.count("customer.subscription.created") == 1
    failed = receiver.last("payment_intent.payment_failed")
    assert failed["last_payment_error"]["decline_code"] == "insufficient_funds"


def test_3d_secure_completes_or_fails(give: Give, sim: Simulator) -> None:
    session = give.session()
    assert sim.pay(session, "4000002500003155").result is Result.REQUIRES_ACTION
    assert sim.authenticate(session, passes=False).result is Result.FAILED
    assert sim.pay(session, "4000002500003155").result is Result.REQUIRES_ACTION
    assert sim.authenticate(session).result is Result.SUCCEEDED


def test_a_session_pays_once(give: Give, sim: Simulator) -> None:
    session = give("payment")
    with pytest.raises(NotOpen):
        sim.pay(session)
    assert len(give.client.v1.charges.list({}).data) == 1


@pytest.mark.parametrize("mode", ["payment", "subscription"])
def test_a_bank_debit_settles_five_days_later(give: Give, sim: Simulator, receiver: Receiver, mode: str) -> None:
    session = give(mode, iban="DE89370400440532013000")
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    if mode == "subscription":
        assert give.client.v1.subscriptions.retrieve(session.subscription).status == "active"
    sim.advance(days=4)
    assert not give.client.v1.charges.list({}).data[0].paid
    sim.advance(days=1, seconds=5)
    assert give.client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert sim.flush()
    assert receiver.types.count("checkout.session.async_payment_succeeded") == 1
    assert ("invoice.paid" in receiver.types) is (mode == "subscription")


def test_a_bank_debit_fails_late(give: Give, sim: Simulator, receiver: Receiver) -> None:
    session = give("subscription", iban="DE62370400440532013001")
    sim.advance(days=5, seconds=5)
    assert sim.flush()
    assert "checkout.session.async_payment_failed" in receiver.types
    assert "invoice.payment_failed" in receiver.types
    assert give.client.v1.subscriptions.retrieve(session.subscription).status == "past_due"


def test_a_session_expires_after_a_day(give: Give, sim: Simulator, receiver: Receiver) -> None:
    session = give.session()
    sim.advance(days=1, seconds=5)
    assert give.client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert sim.flush()
    assert receiver.types == ["checkout.session.expired"]
    assert receiver.last("checkout.session.expired")["url"] is None


def test_an_abandoned_attempt_is_canceled(give: Give, sim: Simulator, receiver: Receiver) -> None:
    session = give.session()
    sim.pay(session, "4000000000000002")
    sim.expire(session)
    assert sim.flush()
    assert receiver.types[-2:] == ["payment_intent.canceled", "checkout.session.expired"]
    assert receiver.last("payment_intent.canceled")["cancellation_reason"] == "expired"


def test_line_items_and_lists(give: Give) -> None:
    session = give.session(amount=700)
    items = give.client.v1.checkout.sessions.line_items.list(session.id)
    assert (items.data[0].amount_total, items.data[0].description) == (700, "Support")
    assert [each.id for each in give.client.v1.checkout.sessions.list({}).data] == [session.id]
    assert give.client.v1.checkout.sessions.expire(session.id).status == "expired"


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"success_url": ""}, "success_url"),
        ({"line_items": []}, "line_items"),
        ({"nonsense": "1"}, "nonsense"),
        ({"locale": "xx"}, "locale"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"customer": "cus_missing"}, "customer"),
        ({"customer_email": "nobody"}, "customer_email"),
        ({"metadata": {"key": "x" * 501}}, "metadata[key]"),
        ({"discounts": [{"coupon": "x"}]}, "discounts"),
        ({"subscription_data": {"description": "x"}}, "subscription_data"),
        ({"expires_at": 5}, "expires_at"),
        ({"automatic_tax": {"enabled": True}}, "automatic_tax"),
        ({"allow_promotion_codes": True}, "allow_promotion_codes"),
        ({"payment_intent_data": {"capture_method": "manual"}}, "payment_intent_data[capture_method]"),
    ],
)
def test_what_stripe_would_refuse_is_refused(client: stripe.StripeClient, changes: dict, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.checkout.sessions.create({**session_params(), **changes})
    assert refusal.value.param == param


def test_what_is_asked_for_is_shown_again(give: Give, sim: Simulator) -> None:
    asked = {
        "consent_collection": {"terms_of_service": "required", "promotions": "auto"},
        "custom_text": {"submit": {"message": "Thank you"}},
        "automatic_tax": {"enabled": False},
        "submit_type": "donate",
        "phone_number_collection": {"enabled": False},
        "expires_at": sim.now() + 3600,
    }
    made = give.session(**asked)
    assert made.custom_text.submit.message == "Thank you"
    assert (made.submit_type, made.expires_at) == ("donate", asked["expires_at"])
    sim.pay(made)
    paid = give.client.v1.checkout.sessions.retrieve(made.id)
    assert paid.consent.to_dict() == {"promotions": "opt_out", "terms_of_service": "accepted"}


@pytest.mark.parametrize(
    ("currency", "amount", "code"),
    [
        ("eur", 49, "amount_too_small"),
        ("eur", 100_000_000, "amount_too_large"),
        ("kwd", 5005, "invalid_amount"),
        ("ugx", 500_050, "invalid_amount"),
        ("eur", -5, "parameter_invalid_integer"),
        ("zzz", 500, "not_simulated"),
    ],
)
def test_amounts_stripe_would_refuse(client: stripe.StripeClient, currency: str, amount: int, code: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.checkout.sessions.create(session_params(currency=currency, amount=amount))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("currency", "amount", "settled", "fee"),
    [
        ("eur", 1000, 1000, 39),
        ("usd", 1000, 920, 38),
        ("jpy", 1000, 610, 34),
        ("kwd", 1000, 300, 29),
        ("uah", 10000, 220, 28),
    ],
)
def test_foreign_money_settles_in_euros(give: Give, currency: str, amount: int, settled: int, fee: int) -> None:
    session = give(currency=currency, amount=amount)
    intent = give.client.v1.payment_intents.retrieve(
        session.payment_intent, {"expand": ["latest_charge.balance_transaction"]}
    )
    row = intent.latest_charge.balance_transaction
    assert (row.currency, row.amount, row.fee, row.net) == ("eur", settled, fee, settled - fee)
    assert (row.exchange_rate is None) is (currency == "eur")


def test_an_account_may_settle_in_what_was_given(start) -> None:
    from tests.stripe_simulator.conftest import client_of

    running = start(settle_in_presentment=True)
    give = Give(client_of(running), running.simulator)
    give(currency="jpy", amount=1000)
    assert running.simulator.snapshot() == {"jpy": {"gross": 1000, "fees": 14, "net": 986, "charge": 986}}
