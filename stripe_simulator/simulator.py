"""`Simulator`: one simulated Stripe account with everything that hangs on it, and its controls for tests.

Here are time, deliveries, requests and faults; what people and banks do is in controls.py. Every method is safe from
any thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import stripe

from stripe_simulator.api.dispatch import Api, Logged
from stripe_simulator.api.events import endpoint
from stripe_simulator.controls import Controls, Reference, id_of
from stripe_simulator.deliveries import Deliverer, Post, signed
from stripe_simulator.journey import Journey
from stripe_simulator.server.faults import Fault
from stripe_simulator.world.chaos import Chaos
from stripe_simulator.world.clock import DAY, as_timestamp
from stripe_simulator.world.rendering import render
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import Policy, World

KEY_PREFIX = "sk_test_simulator"
TICK = 0.5
FLUSH_SECONDS = 30.0

log = logging.getLogger("stripe_simulator")


class Simulator(Controls):
    """A stand-in for Stripe. See the package's docstring for what it does and what it refuses."""

    def __init__(
        self,
        store_path: Path | None = None,
        webhook_url: str | None = None,
        webhook_secret: str = "whsec_simulator",  # noqa: S107 - a development value by design
        secret_key: str = KEY_PREFIX,
        base_url: str = "",
        api_version: str = stripe.api_version,
        chaos: Chaos | None = None,
        *,
        hold: bool = False,
        post: Post | None = None,
        on_advance: Callable[[int], object] | None = None,
        settle_in_presentment: bool = False,
        **policy: Any,
    ) -> None:
        if settle_in_presentment:
            policy["settlement"] = None
        self.world = World(store_path, Policy(api_version, **policy), chaos or Chaos(), base_url)
        self.journey = Journey(self._one_day, on_advance)
        self.webhook_secret = webhook_secret
        self._moving = threading.Lock()
        self._stopped = threading.Event()
        self.api = Api(self.world, secret_key)
        self._register(webhook_url or ("http://held.invalid/webhooks/stripe/" if hold or post else None))
        self.deliverer = Deliverer(self.world, post, hold=hold)
        self._start_payouts()
        threading.Thread(target=self._tick, name="stripe-simulator-clock", daemon=True).start()

    def _register(self, url: str | None) -> None:
        """The endpoint given to the constructor; a restart keeps its events and takes the new address."""
        if url is None:
            return
        with self.world.transaction():
            known = self.world.store.where("webhook_endpoint", _ours=True)
            if known:
                self.world.update(known[0], url=url, _secret=self.webhook_secret)
            else:
                ours = endpoint(self.world, url, self.webhook_secret, ["*"], description="The simulator's own")
                self.world.add({**ours, "_ours": True})

    def _start_payouts(self) -> None:
        days = self.world.policy.payout_days
        with self.world.transaction():
            if days and not self.world.store.where("_task", duty="payouts"):
                self.world.schedule(self.now() + days * DAY, "payouts", "account")

    def _tick(self) -> None:
        """Real time passes too: what falls due without anybody moving the clock."""
        while not self._stopped.wait(TICK):
            try:
                self.world.catch_up()
            except Exception:
                log.exception("what fell due could not be done; it is tried again")

    def close(self) -> None:
        self.journey.stop()
        self._stopped.set()
        self.deliverer.stop()
        with self.world.lock:
            self.world.store.flush()
            self.world.store.close()

    @property
    def base_url(self) -> str:
        return self.world.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self.world.base_url = url

    # Time

    def now(self) -> int:
        """Simulated time, as Stripe writes it."""
        return self.world.now()

    def advance(self, days: float = 0, seconds: float = 0, to: datetime | float | str | None = None) -> int:
        """Move the clock forward, doing what falls due on the way in order, each at its own instant."""
        with self._moving:
            start = self.world.clock.precise()
            target = as_timestamp(to) if to is not None else start + days * DAY + seconds
            if target < start - 1:
                raise ValueError("the clock only moves forward")
            while self.world.do_next(target):
                pass
            with self.world.transaction():
                self.world.clock.move_to(target)
        self.deliverer.wake()
        return self.now()

    def _one_day(self) -> None:
        self.advance(days=1)
        self.flush(FLUSH_SECONDS)

    def begin(self, days_ago: int) -> int:
        """Set an account without any customer back in time, so that a history can be lived through. Refused later."""
        with self.world.transaction():
            if self.world.store.all("customer"):
                raise ValueError("this account has a history already")
            self.world.clock.offset = -float(days_ago * DAY)
            self.world.unschedule("payouts", "account")
        self._start_payouts()
        return self.now()

    # Deliveries

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until every event that will be delivered was. False when that did not happen in time."""
        return self.deliverer.flush(timeout)

    def hold(self) -> None:
        self.deliverer.holding = True

    def release(self) -> None:
        self.deliverer.holding = False
        self.deliverer.start()
        self.deliverer.wake()

    def outbox(self) -> list[Document]:
        """Events not delivered yet, oldest first, as Stripe would send them."""
        with self.world.lock:
            return [render(self.world, event) for event in self.deliverer.outbox()]

    def deliver(self, events: Iterable[Document | str]) -> list[int]:
        """Post these events now, in this order, in this thread; the receiver's statuses."""
        return self.deliverer.deliver(list(events))

    def redeliver(self, event: Reference) -> int:
        return self.deliver([id_of(event)])[0]

    def signed(self, payload: bytes) -> dict[str, str]:
        return signed(payload, self.webhook_secret)

    def events(self, type: str | None = None) -> list[Document]:
        """All events ever made, oldest first, the thirty days notwithstanding."""
        with self.world.lock:
            found = self.world.store.all("event")
            return [render(self.world, event) for event in found if type in (None, event["type"])]

    def deliveries(self, event: Reference) -> list[Document]:
        """Where an event went: endpoint, state, attempts."""
        with self.world.lock:
            return [dict(delivery) for delivery in self.world.get("event", id_of(event))["_deliveries"]]

    # Requests and faults

    @property
    def requests(self) -> list[Logged]:
        return list(self.api.log)

    def fail(self, kind: str, times: int = 1, path: str = "", method: str = "", seconds: float = 1.0) -> None:
        """The next `times` API requests that match get this fault; kinds are in faults.py."""
        self.api.faults.plan(Fault(kind, times, path, method, seconds))

    def clear_faults(self) -> None:
        self.api.faults.clear()
