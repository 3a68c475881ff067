"""A renewal's invoice while it is a draft or open: what can be done with it, and what Stripe refuses."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from stripe_simulator import Simulator
from tests.stripe_simulator.conftest import Give, Receiver

HOUR = 3600


def draft_of(give: Give, sim: Simulator, **how: Any) -> stripe.Invoice:
    """The invoice of the first renewal of a new subscription, a minute after it was made."""
    subscription = give.subscription(**how)
    sim.advance(to=subscription["items"].data[0].current_period_end + 60)
    return give.client.v1.invoices.list({"subscription": subscription.id, "status": "draft"}).data[0]


def test_a_draft_waits_for_an_hour(give: Give, sim: Simulator, receiver: Receiver) -> None:
    invoice = draft_of(give, sim)
    assert invoice.next_payment_attempt == invoice.automatically_finalizes_at == invoice.created + HOUR
    assert (invoice.auto_advance, invoice.attempted, invoice.amount_due) == (True, False, 1000)
    assert sim.flush()
    assert receiver.last("invoice.created")["status"] == "draft"
    sim.advance(seconds=HOUR)
    assert give.client.v1.invoices.retrieve(invoice.id).status == "paid"


def test_a_draft_can_neither_be_voided_nor_deleted(give: Give, sim: Simulator) -> None:
    invoice, sdk = draft_of(give, sim), give.client.v1.invoices
    for refused in (sdk.void_invoice, sdk.delete):
        with pytest.raises(stripe.InvalidRequestError) as error:
            refused(invoice.id)
        assert error.value.http_status == 400
    assert sdk.retrieve(invoice.id).status == "draft"


def test_finalized_by_hand_it_is_open_until_somebody_voids_it(give: Give, sim: Simulator, receiver: Receiver) -> None:
    invoice, sdk = draft_of(give, sim), give.client.v1.invoices
    opened = sdk.finalize_invoice(invoice.id, {"auto_advance": False})
    assert (opened.status, opened.auto_advance, opened.next_payment_attempt) == ("open", False, None)
    with pytest.raises(stripe.InvalidRequestError, match="already finalized"):
        sdk.finalize_invoice(invoice.id, {"auto_advance": False})
    sim.advance(days=3)
    assert sdk.retrieve(invoice.id).attempt_count == 0
    assert sdk.void_invoice(invoice.id).status == "void"
    for refused in (sdk.void_invoice, sdk.pay):
        with pytest.raises(stripe.InvalidRequestError):
            refused(invoice.id)
    assert sim.flush()
    assert receiver.types.count("invoice.finalized") == 2
    assert receiver.last("invoice.voided")["id"] == invoice.id
    assert receiver.last("payment_intent.canceled")["cancellation_reason"] == "void_invoice"


def test_what_is_paid_or_with_the_bank_is_not_voided(give: Give, sim: Simulator) -> None:
    paid, with_bank = draft_of(give, sim), draft_of(give, sim, iban="DE89370400440532013000")
    sim.advance(seconds=HOUR)
    for invoice in (paid, with_bank):
        with pytest.raises(stripe.InvalidRequestError):
            give.client.v1.invoices.void_invoice(invoice.id)
    assert give.client.v1.invoices.retrieve(with_bank.id).status == "open"


def test_collection_is_turned_off_and_on(give: Give, sim: Simulator) -> None:
    invoice, sdk = draft_of(give, sim), give.client.v1.invoices
    assert sdk.update(invoice.id, {"auto_advance": False}).automatically_finalizes_at is None
    sim.advance(days=2)
    assert sdk.retrieve(invoice.id).status == "draft"
    sdk.update(invoice.id, {"auto_advance": True})
    sim.advance(seconds=HOUR + 1)
    assert sdk.retrieve(invoice.id).status == "paid"
    with pytest.raises(stripe.InvalidRequestError):
        sdk.update(invoice.id, {"auto_advance": False})


def test_a_pause_leaves_the_draft_alone(give: Give, sim: Simulator) -> None:
    invoice = draft_of(give, sim)
    subscription = invoice.parent.subscription_details.subscription
    give.client.v1.subscriptions.update(subscription, {"pause_collection": {"behavior": "void"}})
    sim.advance(seconds=HOUR)
    assert give.client.v1.invoices.retrieve(invoice.id).status == "paid"


def test_another_price_leaves_the_draft_alone(give: Give, sim: Simulator) -> None:
    invoice = draft_of(give, sim)
    subscription = give.client.v1.subscriptions.retrieve(invoice.parent.subscription_details.subscription)
    item = subscription["items"].data[0]
    price = {"currency": "eur", "product": item.price.product, "unit_amount": 500, "recurring": {"interval": "month"}}
    change: Any = {"items": [{"id": item.id, "price_data": price}], "proration_behavior": "none"}
    give.client.v1.subscriptions.update(subscription.id, change)
    sim.advance(seconds=HOUR)
    assert give.client.v1.invoices.retrieve(invoice.id).amount_paid == 1000


def test_an_immediate_end_stops_collecting_what_is_open_and_goes_on_with_the_draft(give: Give, sim: Simulator) -> None:
    invoice = draft_of(give, sim, card="4000000000000341")
    sim.advance(seconds=HOUR)
    failed = give.client.v1.invoices.retrieve(invoice.id)
    assert (failed.status, failed.auto_advance) == ("open", True)
    give.client.v1.subscriptions.cancel(failed.parent.subscription_details.subscription)
    ended = give.client.v1.invoices.retrieve(invoice.id)
    assert (ended.status, ended.auto_advance, ended.next_payment_attempt) == ("open", False, None)
    draft = draft_of(give, sim)
    give.client.v1.subscriptions.cancel(draft.parent.subscription_details.subscription)
    sim.advance(seconds=HOUR)
    assert give.client.v1.invoices.retrieve(draft.id).status == "paid"


@pytest.mark.parametrize("days", [10, 45, 400])
def test_an_end_date_may_be_any_day(give: Give, sim: Simulator, days: int) -> None:
    subscription, at = give.subscription(), sim.now() + days * 86_400
    asked = give.client.v1.subscriptions.update(subscription.id, {"cancel_at": at})
    assert (asked.cancel_at, asked.cancel_at_period_end) == (at, False)
    sim.advance(days=days + 1)
    ended = give.client.v1.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", at)
    invoices = give.client.v1.invoices.list({"subscription": subscription.id, "limit": 100}).data
    assert len(invoices) == {10: 1, 45: 2, 400: 14}[days]


def test_a_stop_replaces_an_end_date_and_the_other_way_round(give: Give, sim: Simulator) -> None:
    sdk, subscription = give.client.v1.subscriptions, give.subscription()
    at = sim.now() + 400 * 86_400
    sdk.update(subscription.id, {"cancel_at": at})
    stopped = sdk.update(subscription.id, {"cancel_at_period_end": True})
    assert stopped.cancel_at == subscription["items"].data[0].current_period_end
    dated = sdk.update(subscription.id, {"cancel_at": at})
    assert (dated.cancel_at, dated.cancel_at_period_end) == (at, False)
    both: Any = {"cancel_at": at, "cancel_at_period_end": True}
    with pytest.raises(stripe.InvalidRequestError, match="only one"):
        sdk.update(subscription.id, both)
