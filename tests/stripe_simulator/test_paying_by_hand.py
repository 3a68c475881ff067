"""invoices.pay: an open invoice is paid now, with Stripe's answers to a decline; its retries stay as scheduled."""

from __future__ import annotations

import pytest
import stripe

from stripe_simulator import Simulator
from stripe_simulator.life import invoicing
from tests.stripe_simulator.conftest import Give

FAILS, ASKS = "4000000000000341", "4000002760003184"


def overdue(give: Give, sim: Simulator, card: str = FAILS) -> tuple[stripe.Subscription, stripe.Invoice]:
    subscription = give.subscription(card=card)
    sim.advance(days=32)
    return subscription, give.client.v1.invoices.list({"subscription": subscription.id}).data[0]


def test_a_decline_is_a_402_that_stays(give: Give, sim: Simulator) -> None:
    _, invoice = overdue(give, sim)
    before = len(sim.events("charge.failed"))
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            give.client.v1.invoices.pay(invoice.id, {}, {"idempotency_key": "one"})
        assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
        assert refused.value.json_body["error"]["decline_code"] == "generic_decline"
    assert len(sim.events("charge.failed")) == before + 1, "the same key is the same try, and the try was made"
    after = give.client.v1.invoices.retrieve(invoice.id)
    assert (after.attempt_count, after.next_payment_attempt) == (invoice.attempt_count, invoice.next_payment_attempt)


def test_another_card_pays_and_the_subscription_is_well_again(give: Give, sim: Simulator) -> None:
    subscription, invoice = overdue(give, sim)
    sim.set_payment_method(subscription.customer, "4242424242424242")
    assert give.client.v1.invoices.pay(invoice.id, {}).status == "paid"
    assert give.client.v1.subscriptions.retrieve(subscription.id).status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="is paid"):
        give.client.v1.invoices.pay(invoice.id, {})


def test_an_invoice_that_was_written_off_can_be_paid_and_a_void_one_cannot(give: Give, sim: Simulator) -> None:
    for give_up, ends_as in ((invoicing.mark_uncollectible, "paid"), (invoicing.void, "void")):
        subscription, invoice = overdue(give, sim)
        sim.set_payment_method(subscription.customer, "4242424242424242")
        with sim.world.transaction():
            give_up(sim.world, sim.world.store.get("invoice", invoice.id))
        if ends_as == "paid":
            give.client.v1.invoices.pay(invoice.id, {})
        else:
            with pytest.raises(stripe.InvalidRequestError, match="is void"):
                give.client.v1.invoices.pay(invoice.id, {})
        assert give.client.v1.invoices.retrieve(invoice.id).status == ends_as


def test_the_card_named_is_the_one_tried_and_must_be_the_customers(give: Give, sim: Simulator) -> None:
    _, invoice = overdue(give, sim)
    stranger = give.subscription()
    with pytest.raises(stripe.InvalidRequestError, match="customer"):
        give.client.v1.invoices.pay(invoice.id, {"payment_method": stranger.default_payment_method})


def test_a_bank_that_wants_to_ask_says_so_and_the_hosted_page_lets_it(give: Give, sim: Simulator) -> None:
    _, invoice = overdue(give, sim, ASKS)
    with pytest.raises(stripe.CardError) as refused:
        give.client.v1.invoices.pay(invoice.id, {})
    assert refused.value.code == "invoice_payment_intent_requires_action"
    assert sim.pay_invoice(invoice.id) == "paid"


def test_a_bank_debit_is_under_way(give: Give, sim: Simulator) -> None:
    subscription, invoice = overdue(give, sim)
    sim.set_payment_method(subscription.customer, iban="DE89370400440532013000")
    assert give.client.v1.invoices.pay(invoice.id, {}).status == "open"
    sim.advance(days=6)
    assert give.client.v1.invoices.retrieve(invoice.id).status == "paid"
