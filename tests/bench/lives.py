"""The drain on lives as they are lived: monthly gifts that begin and renew, some given once, Stripe 150 ms away."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from random import Random

from django.conf import settings

from payments.giving import checkout
from payments.giving.choices import Choice, Person
from payments.inbox import queue
from payments.models import Checkout, Payment, StripeEvent
from payments.reconciling import missed_events
from payments.webhooks import drain
from payments.webhooks.handlers import HANDLERS
from stripe_simulator import Simulator, serve

KEY = "sk_test_simulator_bench"
LATENCY_SECONDS = 0.15
# Stripe's limit in live mode; by default all processes together read at a fifth of it.
READS_PER_SECOND = 100


@dataclass
class Worked:
    """`received` counts all that Stripe sent, `events` those that we handle."""

    events: int = 0
    received: int = 0
    reads: int = 0
    seconds: float = 0.0


def live(monthly: int, once: int, renewals: int, reads_per_second: int) -> Worked:
    """That many begin to give, and renew that often; what the drain did about it. Raises when a gift is missing."""
    simulator = Simulator(None, secret_key=KEY, hold=True, post=arrive)
    with serve(simulator) as running:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = KEY, running.url
        settings.STRIPE_READS_PER_SECOND = reads_per_second
        for number in range(monthly + once):
            _give(simulator, "month" if number < monthly else "once", number)
        simulator.fail("slow", times=10**9, method="GET", seconds=LATENCY_SECONDS)
        worked = Worked()
        _drain(simulator, worked)
        for _ in range(renewals):
            simulator.advance(days=31)
            _drain(simulator, worked)
    received = Payment.objects.filter(status="succeeded").count()
    if received != monthly * (1 + renewals) + once:
        raise SystemExit(f"drained wrongly: {received} gifts")
    return worked


def lose(monthly: int, share: float) -> Worked:
    """That many begin to give; this share of all events never comes. What it took to fetch and work those.

    Raises when a gift is missing.
    """
    simulator = Simulator(None, secret_key=KEY, hold=True, post=arrive)
    dice, worked = Random(1), Worked()
    with serve(simulator) as running:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = KEY, running.url
        settings.STRIPE_READS_PER_SECOND = READS_PER_SECOND
        for number in range(monthly):
            _give(simulator, "month", number)
        arrived = [event for event in simulator.outbox() if dice.random() > share]
        worked.received = len(simulator.deliver(arrived))
        simulator.fail("slow", times=10**9, method="GET", seconds=LATENCY_SECONDS)
        drain.until_nothing_is_due()
        reads, started = len(simulator.requests), time.perf_counter()
        run = missed_events.collect()
        worked.events = run.found if run else 0
        while StripeEvent.objects.filter(state__in=StripeEvent.WAITING).exists():  # what came too early is tried again
            drain.until_nothing_is_due() or time.sleep(0.05)
        worked.seconds, worked.reads = time.perf_counter() - started, len(simulator.requests) - reads
    received = Payment.objects.filter(status="succeeded").count()
    if received != monthly:
        raise SystemExit(f"fetched wrongly: {received} gifts")
    return worked


def _give(simulator: Simulator, frequency: str, number: int) -> None:
    choice = Choice(frequency=frequency, amount=1000, currency="EUR", campaign=None, appeal=None, article="")
    person = Person(email=f"reader-{number}@example.org", name="", language="en")
    checkout.begin(choice, person, "words", f"bench {number}")
    session = Checkout.objects.get(email=person.email).stripe_session_id
    simulator.pay(session, card="4242424242424242", email=person.email)


def arrive(url: str, payload: bytes, headers: dict[str, str]) -> int:
    event = json.loads(payload)
    state = StripeEvent.State.PENDING if event["type"] in HANDLERS else StripeEvent.State.IGNORED
    queue.store(event, payload, state)
    return 200


def _drain(simulator: Simulator, worked: Worked) -> None:
    worked.received += len(simulator.deliver(simulator.outbox()))
    reads = len(simulator.requests)
    started = time.perf_counter()
    worked.events += drain.until_nothing_is_due()
    worked.seconds += time.perf_counter() - started
    worked.reads += len(simulator.requests) - reads
