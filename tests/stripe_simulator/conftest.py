"""A simulator served over HTTP, the real SDK as its client, and a receiver that checks every signature."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import stripe

from stripe_simulator import KEY_PREFIX, Running, Simulator, serve

SECRET = "whsec_simulator"


@dataclass
class Receiver:
    """A webhook endpoint that keeps the events it receives and answers with `status`."""

    events: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    def __call__(self, url: str, payload: bytes, headers: dict[str, str]) -> int:
        stripe.WebhookSignature.verify_header(payload.decode(), headers["Stripe-Signature"], SECRET, 300)
        self.events.append(json.loads(payload))
        return self.status

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def last(self, type: str) -> dict[str, Any]:
        return next(event["data"]["object"] for event in reversed(self.events) if event["type"] == type)


Start = Callable[..., Running]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that serves a simulator with these settings; all are stopped at the end of the test."""
    running: list[Running] = []

    def begin(**settings: Any) -> Running:
        running.append(serve(Simulator(**settings)))
        return running[-1]

    yield begin
    for each in running:
        each.stop()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def running(start: Start, receiver: Receiver) -> Running:
    return start(post=receiver)


@pytest.fixture
def sim(running: Running) -> Simulator:
    return running.simulator


def client_of(running: Running, key: str = KEY_PREFIX, **options: Any) -> stripe.StripeClient:
    return stripe.StripeClient(key, base_addresses={"api": running.url}, **options)


@pytest.fixture
def client(running: Running) -> stripe.StripeClient:
    return client_of(running)


def session_params(mode: str = "payment", amount: int = 1000, currency: str = "eur", **more: Any) -> dict[str, Any]:
    """Return the parameters of a one-off gift, or of a monthly one with mode="subscription"; `interval` for others."""
    interval = more.pop("interval", "month")
    data: dict[str, Any] = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Support"}}
    where = "payment_intent_data"
    if mode == "subscription":
        data["recurring"] = {"interval": interval}
        where = "subscription_data"
    return {
        "mode": mode,
        "line_items": [{"price_data": data, "quantity": 1}],
        "success_url": "http://site.example/return/{CHECKOUT_SESSION_ID}/",
        "cancel_url": "http://site.example/back/",
        "client_reference_id": "ck_1",
        "metadata": {"checkout": "ck_1"},
        where: {"metadata": {"checkout": "ck_1"}},
        **more,
    }


@dataclass
class Give:
    """Create a session through the SDK and pay it on the hosted page."""

    client: stripe.StripeClient
    sim: Simulator

    def session(self, mode: str = "payment", **more: Any) -> stripe.checkout.Session:
        return self.client.v1.checkout.sessions.create(session_params(mode, **more))

    def __call__(self, mode: str = "payment", *, card: str = "4242424242424242", iban: str | None = None, **more: Any):
        session = self.session(mode, **more)
        self.sim.pay(session, card, iban=iban, authenticate=True)
        return self.client.v1.checkout.sessions.retrieve(session.id)

    def subscription(self, *, card: str = "4242424242424242", iban: str | None = None, **more: Any):
        session = self("subscription", card=card, iban=iban, **more)
        return self.client.v1.subscriptions.retrieve(session.subscription)


@pytest.fixture
def give(client: stripe.StripeClient, sim: Simulator) -> Give:
    return Give(client, sim)
