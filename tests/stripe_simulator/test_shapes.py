"""Every object and event that the simulator emits has only the fields that the SDK annotates."""

from __future__ import annotations

import pytest
import stripe

from stripe_simulator import Simulator
from tests.stripe_simulator.conftest import Give, Receiver
from tests.stripe_simulator.shapes import problems, removed_fields

KINDS = [
    "customer",
    "payment_method",
    "mandate",
    "payment_intent",
    "charge",
    "refund",
    "dispute",
    "balance_transaction",
    "payout",
    "checkout.session",
    "subscription",
    "invoice",
    "invoice_payment",
    "event",
    "webhook_endpoint",
    "billing_portal.configuration",
    "billing_portal.session",
]


def whole_life(give: Give, sim: Simulator) -> None:
    """Do everything that can happen, once."""
    client = give.client
    gift = give("payment", customer_creation="always")
    sim.refund(gift, 300)
    sim.fail_refund(sim.refund(gift, 200))
    sim.expire(give.session())
    declined = give.session("payment", custom_text={"submit": {"message": "Thank you"}}, locale="pl")
    sim.pay(declined, "4000000000000002")
    sim.pay(declined, "4000002500003155", authenticate=False)
    sim.pay(declined)
    disputed = give()
    dispute = sim.dispute(disputed)
    sim.answer_dispute(dispute)
    sim.close_dispute(dispute, won=True)
    sim.close_dispute(sim.dispute(give(), inquiry=True), won=False)
    dollars = give("payment", currency="usd", amount=1999)
    sim.dispute(dollars, 500)
    debit, refused = give(iban="DE89370400440532013000"), give(iban="DE62370400440532013001")
    monthly, yearly = give.subscription(), give.subscription(interval="year")
    by_bank = give.subscription(iban="DE62370400440532013001")
    unfinished = give.subscription()
    sim.break_invoices(unfinished.id)
    sim.update_card(monthly.default_payment_method, (1, 2041), by_hand=True)
    sim.advance(days=6)
    sim.dispute(debit)
    client.v1.subscriptions.update(monthly.id, {"pause_collection": {"behavior": "void"}})
    sim.advance(days=32)
    client.v1.subscriptions.update(monthly.id, {"pause_collection": ""})
    client.v1.subscriptions.pause(yearly.id, {"bill_for": {"unused_time_from": {"type": "none"}}})
    client.v1.subscriptions.resume(yearly.id, {})
    sim.set_payment_method(monthly.customer, "4000002760003184")
    sim.mend_invoices(unfinished.id)
    sim.payout()
    sim.advance(days=40)
    client.v1.subscriptions.cancel(yearly.id, {"cancellation_details": {"comment": "Enough"}})
    client.v1.billing_portal.sessions.create({"customer": monthly.customer, "return_url": "http://site.example/"})
    client.v1.customers.delete(monthly.customer)
    assert refused.payment_status == "unpaid"
    assert sim.get(by_bank.id)["status"] == "canceled"


@pytest.mark.parametrize("late_fees", [False, True])
def test_a_whole_life_has_only_annotated_fields(start, receiver: Receiver, late_fees: bool) -> None:
    from tests.stripe_simulator.conftest import client_of

    running = start(post=receiver, late_fees=late_fees, payout_days=7)
    sim = running.simulator
    whole_life(Give(client_of(running), sim), sim)
    assert sim.flush()
    found = [
        f"{event['type']}: {problem}" for event in receiver.events for problem in problems(event["data"]["object"])
    ]
    found += [problem for event in receiver.events for problem in problems(event)]
    for kind in KINDS:
        documents = sim.world.store.all(kind)
        assert documents, f"the life has no {kind}"
        found += [problem for document in documents for problem in problems(sim.get(document["id"]))]
    assert not found, "\n".join(sorted(set(found)))


def test_expanded_objects_have_only_annotated_fields(give: Give, sim: Simulator) -> None:
    subscription = give.subscription()
    shown = [
        sim.get(subscription.id, ["latest_invoice.payments.data.payment", "customer.subscriptions"]),
        sim.get(give("payment").id, ["line_items", "payment_intent.latest_charge.balance_transaction"]),
        sim.get(subscription.latest_invoice, ["payments", "parent.subscription_details.subscription"]),
    ]
    assert not [problem for document in shown for problem in problems(document)]


@pytest.mark.parametrize(("cls", "name"), removed_fields(), ids=lambda part: getattr(part, "__name__", part))
def test_the_check_would_notice_a_removed_field(cls: type, name: str) -> None:
    assert problems({"object": cls.OBJECT_NAME, name: None})


def test_no_bill_is_made_of_what_is_broken_and_all_of_what_is_mended(give: Give, sim: Simulator) -> None:
    agreed = give.subscription()
    sim.break_invoices(agreed.id)
    sim.advance(days=70)
    kept = give.client.v1.invoices.list({"subscription": agreed.id}).data
    assert sorted(invoice.status for invoice in kept) == ["draft", "draft", "paid"]
    assert all(invoice.last_finalization_error for invoice in kept if invoice.status == "draft")
    sim.mend_invoices(agreed.id)
    kept = give.client.v1.invoices.list({"subscription": agreed.id}).data
    assert {(invoice.status, invoice.last_finalization_error) for invoice in kept} == {("paid", None)}


def test_every_event_type_is_one_of_stripes(give: Give, sim: Simulator) -> None:
    whole_life(give, sim)
    known = set(stripe.Event.__annotations__["type"].__args__)
    assert {event["type"] for event in sim.events()} <= known
