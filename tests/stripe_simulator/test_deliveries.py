"""Webhook deliveries: signed, retried, held, chosen, doubled, lost; and kept over a restart."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import stripe

from stripe_simulator import Chaos, Running, Simulator, serve
from tests.stripe_simulator.conftest import SECRET, Give, Receiver, client_of


def test_events_are_stripes_own_shape(give: Give, sim: Simulator, receiver: Receiver) -> None:
    give()
    assert sim.flush()
    event = receiver.events[-1]
    payload = json.dumps(event).encode()
    built = stripe.Webhook.construct_event(payload, sim.signed(payload)["Stripe-Signature"], SECRET)
    assert (built.type, built.livemode, built.api_version) == (event["type"], False, stripe.api_version)
    assert "account" not in event


def test_an_event_says_which_request_made_it(give: Give, sim: Simulator, receiver: Receiver) -> None:
    give.client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "made"})
    assert sim.flush()
    assert receiver.events[0]["request"]["idempotency_key"] == "made"
    assert receiver.events[0]["request"]["id"].startswith("req_")
    give.subscription()
    sim.advance(days=32)
    assert sim.flush()
    assert receiver.events[-1]["request"] == {"id": None, "idempotency_key": None}


def test_what_is_refused_is_retried(give: Give, sim: Simulator, receiver: Receiver) -> None:
    receiver.status = 500
    give.client.v1.customers.create({})
    assert not sim.flush(0.3)
    assert give.client.v1.events.list({"delivery_success": False}).data
    receiver.status = 200
    sim.advance(seconds=10)
    assert sim.flush()
    [event] = give.client.v1.events.list({}).data
    assert event.pending_webhooks == 0
    attempts = sim.deliveries(event)[0]["attempts"]
    assert [attempt["status"] for attempt in attempts][-1] == 200
    assert attempts[0]["status"] == 500


def test_after_three_days_stripe_gives_up(give: Give, sim: Simulator, receiver: Receiver) -> None:
    receiver.status = 500
    give.client.v1.customers.create({})
    sim.flush(0.2)
    sim.advance(days=4)
    assert sim.flush()
    [event] = sim.events("customer.created")
    assert sim.deliveries(event)[0]["state"] == "failed"
    receiver.status = 200
    assert sim.redeliver(event) == 200
    assert sim.deliveries(event)[0]["state"] == "delivered"


def test_held_events_are_delivered_in_any_order(start, receiver: Receiver) -> None:
    running = start(post=receiver, hold=True)
    sim = running.simulator
    Give(client_of(running), sim)("payment")
    waiting = sim.outbox()
    assert not receiver.events
    assert len(waiting) == 4
    for order in itertools.islice(itertools.permutations(waiting), 3):
        receiver.events.clear()
        assert sim.deliver(order) == [200] * 4
        assert [event["id"] for event in receiver.events] == [event["id"] for event in order]
    assert sim.outbox() == []
    sim.release()
    assert sim.flush()
    assert len(receiver.events) == 4


def test_chaos(start, receiver: Receiver) -> None:
    chaos = Chaos(duplicate=0.5, shuffle=0.2, delay=(0.0, 0.05), drop=0.2, two_ids=0.3, seed=7)
    running = start(post=receiver, chaos=chaos)
    give, sim = Give(client_of(running), running.simulator), running.simulator
    for _ in range(3):
        give.subscription()
    assert sim.flush(10)
    ids = [event["id"] for event in receiver.events]
    made = [event["id"] for event in sim.events()]
    assert len(ids) > len(set(ids)), "none was delivered twice"
    assert set(ids) < set(made), "none was lost"
    assert sorted(set(ids), key=made.index) != list(dict.fromkeys(ids)), "all came in order"
    bodies = [json.dumps([event["type"], event["data"]]) for event in sim.events()]
    assert len(bodies) > len(set(bodies)), "none has a second id"
    lost = give.client.v1.events.list({"delivery_success": False, "limit": 100}).data
    assert {event.id for event in lost} == set(made) - set(ids)


def test_events_are_kept_for_thirty_days(give: Give, sim: Simulator) -> None:
    give.client.v1.customers.create({})
    [event] = give.client.v1.events.list({"types": ["customer.created", "invoice.paid"]}).data
    assert give.client.v1.events.retrieve(event.id).id == event.id
    assert give.client.v1.events.list({"type": "invoice.paid"}).data == []
    with pytest.raises(stripe.InvalidRequestError, match="at most 20"):
        give.client.v1.events.list({"types": [f"a.{number}" for number in range(21)]})
    sim.advance(days=31)
    assert give.client.v1.events.list({}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        give.client.v1.events.retrieve(event.id)


def test_endpoints_choose_their_events(give: Give, sim: Simulator, receiver: Receiver) -> None:
    endpoints = give.client.v1.webhook_endpoints
    [own] = endpoints.list({}).data
    assert (own.enabled_events, own.api_version) == (["*"], stripe.api_version)
    endpoints.update(own.id, {"enabled_events": ["customer.updated"]})
    made = endpoints.create({"url": "http://two.example/", "enabled_events": ["customer.created"]})
    assert made.secret.startswith("whsec_")
    assert endpoints.update(made.id, {"disabled": True}).status == "disabled"
    customer = give.client.v1.customers.create({})
    give.client.v1.customers.update(customer.id, {"name": "Ada"})
    assert sim.flush()
    assert receiver.types == ["customer.updated"]
    assert receiver.events[0]["data"]["previous_attributes"] == {"name": None}


def test_deliveries_over_http(start) -> None:
    """Post to a real address: another simulator, which answers 404."""
    target = start()
    running = start(webhook_url=f"{target.url}/webhooks/stripe/")
    client_of(running).v1.customers.create({})
    running.simulator.flush(0.5)
    [event] = running.simulator.events()
    assert running.simulator.deliveries(event)[0]["attempts"][0]["status"] == 404


def test_a_restart_finds_everything_again(tmp_path: Path, receiver: Receiver) -> None:
    def begin() -> Running:
        return serve(Simulator(tmp_path / "stripe.sqlite3", post=receiver))

    with begin() as running:
        give = Give(client_of(running), running.simulator)
        subscription = give.subscription()
        kept = give.client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})
        then = running.simulator.advance(days=10)
        again = give.client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "two"})
        assert running.simulator.flush()
    seen = len(receiver.events)
    with begin() as running:
        sim, client = running.simulator, client_of(running)
        assert sim.now() >= then
        assert client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"}).id != kept.id
        assert client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "two"}).id == again.id
        sim.advance(days=25)
        assert client.v1.invoices.list({"subscription": subscription.id}).data[0].status == "paid"
        assert sim.flush()
    assert "invoice.paid" in receiver.types[seen:]
    assert len({event["id"] for event in receiver.events}) == len(receiver.events)


def test_a_caller_may_bring_the_events_himself(start, receiver: Receiver) -> None:
    """Signed like any delivery, and his until he says that he has brought them."""
    running = start(post=receiver, hold=True, webhook_url="http://site.example/webhooks/stripe/")
    sim = running.simulator
    Give(client_of(running), sim)("payment")
    handed = sim.hand_over()
    assert [each["id"] for each in handed] == [event["id"] for event in sim.outbox()]
    for each in handed:
        assert receiver(each["url"], each["payload"].encode(), each["headers"]) == 200
    assert [event["type"] for event in receiver.events] == [each["type"] for each in handed]

    first, *others = [each["id"] for each in handed]
    assert [each["id"] for each in sim.hand_over(taken=[first])] == others
    assert sim.hand_over(taken=others) == []
    assert sim.deliveries(first)[0]["state"] == "delivered"
    sim.release()
    assert sim.flush()
    assert len(receiver.events) == len(handed)


def test_an_endpoint_that_is_gone_gets_nothing_by_hand_either(start, receiver: Receiver) -> None:
    running = start(post=receiver, hold=True)
    client = client_of(running)
    client.v1.customers.create({})
    for endpoint in client.v1.webhook_endpoints.list({}).data:
        client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    assert running.simulator.hand_over() == []
