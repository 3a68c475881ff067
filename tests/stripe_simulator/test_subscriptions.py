"""A subscription as time passes: anchored months, retries, recovery, pause, change, cancellation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import stripe

from stripe_simulator import Simulator
from stripe_simulator.world.clock import period_start
from tests.stripe_simulator.conftest import Give, Receiver


def stamp(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp())


def on_the_day(sim: Simulator, moment: datetime) -> None:
    """Move the clock to this time, which may be past or future: the dates of this test are fixed."""
    sim.begin(days_ago=(datetime.now(UTC).date() - moment.date()).days + 1)
    sim.advance(to=moment)


def test_months_are_counted_from_the_anchor() -> None:
    starts = [period_start(stamp(2027, 1, 31, 12), "month", 1, number) for number in range(5)]
    wanted = [(2027, 1, 31), (2027, 2, 28), (2027, 3, 31), (2027, 4, 30), (2027, 5, 31)]
    assert starts == [stamp(*date, 12) for date in wanted]
    assert period_start(stamp(2028, 2, 29), "year", 1, 1) == stamp(2029, 2, 28)
    assert period_start(stamp(2028, 2, 29), "year", 1, 4) == stamp(2032, 2, 29)


def test_renewals_keep_the_day_of_the_anchor(give: Give, sim: Simulator) -> None:
    on_the_day(sim, datetime(2027, 1, 31, 12, tzinfo=UTC))
    subscription = give.subscription()
    for date in ((2027, 2, 28), (2027, 3, 31), (2027, 4, 30)):
        sim.advance(to=datetime(*date, 13, tzinfo=UTC))
        invoice = give.client.v1.invoices.list({"subscription": subscription.id}).data[0]
        assert datetime.fromtimestamp(invoice.lines.data[0].period.start, UTC).timetuple()[:3] == date
        assert (invoice.status, invoice.billing_reason) == ("paid", "subscription_cycle")


def test_a_year_of_monthly_gifts(give: Give, sim: Simulator, receiver: Receiver) -> None:
    subscription = give.subscription(amount=500)
    sim.advance(days=367)
    paid = give.client.v1.invoices.list({"subscription": subscription.id, "status": "paid", "limit": 100}).data
    assert len(paid) == 13
    assert sim.flush()
    assert receiver.types.count("invoice.paid") == 13
    assert receiver.types.count("invoice.upcoming") == 12
    assert "id" not in receiver.last("invoice.upcoming")


def test_events_carry_the_instant_they_happened_at(give: Give, sim: Simulator, receiver: Receiver) -> None:
    subscription = give.subscription()
    due = subscription["items"].data[0].current_period_end
    sim.advance(days=40)
    renewal = give.client.v1.invoices.list({"subscription": subscription.id}).data[0]
    assert renewal.created == due
    assert sim.flush()
    paid = [event for event in receiver.events if event["type"] == "invoice.paid"][-1]
    assert paid["created"] == due + 3600


def test_a_failing_renewal_is_retried_and_then_ends(give: Give, sim: Simulator, receiver: Receiver) -> None:
    subscription = give.subscription(card="4000000000000341")
    end = subscription["items"].data[0].current_period_end + 3600  # the invoice is a draft for an hour
    sim.advance(to=end + 60)
    now = give.client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (now.status, now.latest_invoice.attempt_count) == ("past_due", 1)
    assert now.latest_invoice.next_payment_attempt == end + 3 * 86_400
    sim.advance(to=end + 8 * 86_400)
    ended = give.client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    assert (ended.latest_invoice.attempt_count, ended.latest_invoice.next_payment_attempt) == (4, None)
    assert ended.ended_at == end + 7 * 86_400
    assert sim.flush()
    assert receiver.types.count("invoice.payment_failed") == 4
    assert receiver.types[-1] == "customer.subscription.deleted"


@pytest.mark.parametrize("retry_now", [True, False])
def test_a_new_card_recovers(give: Give, sim: Simulator, retry_now: bool) -> None:
    subscription = give.subscription(card="4000000000000341")
    sim.advance(days=32)
    sim.set_payment_method(subscription.customer, retry_now=retry_now)
    status = give.client.v1.subscriptions.retrieve(subscription.id).status
    assert status == ("active" if retry_now else "past_due")
    sim.advance(days=4)
    recovered = give.client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (recovered.status, recovered.latest_invoice.status) == ("active", "paid")


def test_a_renewal_may_ask_for_authentication(give: Give, sim: Simulator, receiver: Receiver) -> None:
    subscription = give.subscription(card="4000002760003184")
    sim.advance(days=32)
    assert sim.flush()
    assert "invoice.payment_action_required" in receiver.types
    assert give.client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    sim.pay_invoice(receiver.last("invoice.payment_action_required")["id"])
    assert give.client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_an_expired_card_fails_until_the_network_renews_it(give: Give, sim: Simulator, receiver: Receiver) -> None:
    on_the_day(sim, datetime(2027, 1, 10, 10, tzinfo=UTC))
    session = give.session("subscription")
    assert sim.pay(session, expires=(12, 2026)).message == "Your card has expired."
    sim.pay(session, expires=(1, 2027))
    subscription = give.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]}).subscription
    sim.advance(days=32)
    assert give.client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    sim.update_card(subscription.default_payment_method, (1, 2031))
    sim.advance(days=4)
    assert give.client.v1.subscriptions.retrieve(subscription.id).status == "active"
    assert sim.flush()
    assert receiver.last("payment_method.automatically_updated")["card"]["exp_year"] == 2031


def test_a_revoked_mandate_fails_at_once(give: Give, sim: Simulator, receiver: Receiver) -> None:
    subscription = give.subscription(iban="DE89370400440532013000")
    sim.advance(days=6)
    sim.revoke_mandate(subscription.default_payment_method)
    sim.advance(days=26)
    assert sim.flush()
    assert receiver.last("mandate.updated")["status"] == "inactive"
    failed = receiver.last("payment_intent.payment_failed")["last_payment_error"]
    assert failed["code"] == "payment_intent_mandate_invalid"
    assert give.client.v1.subscriptions.retrieve(subscription.id).status == "past_due"


def test_a_renewal_by_bank_debit_stays_active_while_it_settles(give: Give, sim: Simulator) -> None:
    subscription = give.subscription(iban="DE89370400440532013000")
    sim.advance(days=32)
    now = give.client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (now.status, now.latest_invoice.status) == ("active", "open")
    sim.advance(days=6)
    now = give.client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (now.status, now.latest_invoice.status) == ("active", "paid")


def test_cancel_at_period_end_and_undo(give: Give, sim: Simulator) -> None:
    client, subscription = give.client, give.subscription()
    asked = client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert asked.cancel_at == subscription["items"].data[0].current_period_end
    assert asked.cancellation_details.reason == "cancellation_requested"
    undone = client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    assert (undone.cancel_at, undone.canceled_at) == (None, None)
    client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    sim.advance(days=32)
    ended = client.v1.subscriptions.retrieve(subscription.id)
    assert ended.status == "canceled"
    assert ended.canceled_at < ended.ended_at == asked.cancel_at
    assert len(client.v1.invoices.list({"subscription": subscription.id}).data) == 1


def test_cancel_now(give: Give, sim: Simulator) -> None:
    subscription = give.subscription()
    details = {"feedback": "too_expensive", "comment": "Later"}
    ended = give.client.v1.subscriptions.cancel(subscription.id, {"cancellation_details": details})
    assert (ended.status, ended.cancellation_details.feedback) == ("canceled", "too_expensive")
    with pytest.raises(stripe.InvalidRequestError):
        give.client.v1.subscriptions.cancel(subscription.id)
    sim.advance(days=60)
    assert len(give.client.v1.invoices.list({"subscription": subscription.id}).data) == 1


@pytest.mark.parametrize(
    ("behavior", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")]
)
def test_paused_collection(give: Give, sim: Simulator, behavior: str, status: str) -> None:
    client, subscription = give.client, give.subscription()
    resumes = sim.now() + 45 * 86_400
    pause = {"pause_collection": {"behavior": behavior, "resumes_at": resumes}}
    assert client.v1.subscriptions.update(subscription.id, pause).status == "active"
    sim.advance(days=32)
    assert client.v1.invoices.list({"subscription": subscription.id}).data[0].status == status
    sim.advance(days=31)
    assert client.v1.subscriptions.retrieve(subscription.id).pause_collection is None
    assert client.v1.invoices.list({"subscription": subscription.id}).data[0].status == "paid"


def test_another_amount_from_the_next_renewal(give: Give, sim: Simulator) -> None:
    client, subscription = give.client, give.subscription(amount=1000)
    item = subscription["items"].data[0]
    data = {"currency": "eur", "product": item.price.product, "unit_amount": 1500, "recurring": {"interval": "month"}}
    change = {"items": [{"id": item.id, "price_data": data}]}
    with pytest.raises(stripe.InvalidRequestError, match="proration"):
        client.v1.subscriptions.update(subscription.id, change)
    changed = client.v1.subscriptions.update(subscription.id, {**change, "proration_behavior": "none"})
    assert changed["items"].data[0].price.unit_amount == 1500
    assert client.v1.invoices.create_preview({"subscription": subscription.id}).amount_due == 1500
    sim.advance(days=32)
    assert client.v1.invoices.list({"subscription": subscription.id}).data[0].amount_paid == 1500


def test_another_interval_starts_a_new_cycle_now(give: Give, sim: Simulator) -> None:
    client, subscription = give.client, give.subscription(amount=1000)
    sim.advance(days=3)
    item = subscription["items"].data[0]
    data = {"currency": "eur", "product": item.price.product, "unit_amount": 9000, "recurring": {"interval": "year"}}
    change = {"items": [{"id": item.id, "price_data": data}], "proration_behavior": "none"}
    changed = client.v1.subscriptions.update(subscription.id, change)
    assert abs(changed["items"].data[0].current_period_start - sim.now()) < 5
    latest = client.v1.invoices.retrieve(changed.latest_invoice)
    assert (latest.amount_paid, latest.billing_reason) == (9000, "subscription_update")


def test_lists_by_status(give: Give) -> None:
    client, running, ended = give.client, give.subscription(), give.subscription()
    client.v1.subscriptions.cancel(ended.id)
    assert [each.id for each in client.v1.subscriptions.list({}).data] == [running.id]
    assert {each.id for each in client.v1.subscriptions.list({"status": "all"}).data} == {running.id, ended.id}
    assert [each.id for each in client.v1.subscriptions.list({"status": "ended"}).data] == [ended.id]
    assert [each.id for each in client.v1.subscriptions.list({"customer": running.customer}).data] == [running.id]
