"""`Simulator`: one simulated Stripe account with its API, clock, deliveries and controls.

Time, deliveries, requests and faults are here; actions of readers, banks and staff are in controls.py
and dashboard.py. Every method is
safe to call from any thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import stripe

from stripe_simulator.api.dispatch import Api, Logged
from stripe_simulator.api.events import endpoint
from stripe_simulator.controls import Controls, Reference, id_of
from stripe_simulator.dashboard import Dashboard
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
# Tasks that change no gift: the notice of an invoice to come, a late fee, and payouts of money that has arrived.
BESIDE_GIFTS = {"upcoming", "fee", "payouts", "payout_leaves", "payout_arrives"}

log = logging.getLogger("stripe_simulator")


class Simulator(Controls, Dashboard):
    """A stand-in for Stripe. The docstring of the package lists its arguments and methods."""

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
        """Register the webhook endpoint of the constructor; after a restart, keep its row with the new address."""
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
        """Run the tasks that fall due as real time passes, until the simulator is closed."""
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
        """Return simulated time as Stripe writes it: seconds since 1970."""
        return self.world.now()

    def advance(self, days: float = 0, seconds: float = 0, to: datetime | float | str | None = None) -> int:
        """Move the clock forward; return the new time. Tasks that fall due run in order, each at its own time.

        Raises ValueError for a time in the past.
        """
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

    def next_due(self) -> float | None:
        """Return when Stripe next charges somebody or changes a gift by itself; None if nothing is planned."""
        with self.world.lock:
            planned = (task["at"] for task in self.world.store.all("_task") if task["duty"] not in BESIDE_GIFTS)
            return min(planned, default=None)

    def _one_day(self) -> None:
        self.advance(days=1)
        self.flush(FLUSH_SECONDS)

    def begin(self, days_ago: int) -> int:
        """Move the clock of a new account `days_ago` back, so that a history can be simulated; return the new time.

        Raises ValueError once the account has a customer.
        """
        with self.world.transaction():
            if self.world.store.all("customer"):
                raise ValueError("this account has a history already")
            self.world.clock.offset = -float(days_ago * DAY)
            self.world.unschedule("payouts", "account")
        self._start_payouts()
        return self.now()

    # Deliveries

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until every event is delivered. Return False if that would take longer, or if `hold` was called."""
        return self.deliverer.flush(timeout)

    def hold(self) -> None:
        self.deliverer.holding = True

    def release(self) -> None:
        self.deliverer.holding = False
        self.deliverer.start()
        self.deliverer.wake()

    def outbox(self) -> list[Document]:
        """Return the events that are not delivered yet, oldest first, as Stripe would send them."""
        with self.world.lock:
            return [render(self.world, event) for event in self.deliverer.outbox()]

    def deliver(self, events: Iterable[Document | str]) -> list[int]:
        """Post these events now, in this order, in this thread; return the receiver's statuses."""
        return self.deliverer.deliver(list(events))

    def hand_over(self, taken: Collection[str] = ()) -> list[Document]:
        """Return all waiting deliveries for a caller who posts them: id, type, url, payload and headers of each.

        An event is returned again until `taken` names its id, so a caller that crashes loses none.
        """
        return [asdict(handed) for handed in self.deliverer.hand_over(set(taken))]

    def redeliver(self, event: Reference) -> int:
        return self.deliver([id_of(event)])[0]

    def signed(self, payload: bytes) -> dict[str, str]:
        return signed(payload, self.webhook_secret)

    def events(self, type: str | None = None) -> list[Document]:
        """Return all events ever made, oldest first, also those older than the thirty days that the API lists."""
        with self.world.lock:
            found = self.world.store.all("event")
            return [render(self.world, event) for event in found if type in (None, event["type"])]

    def deliveries(self, event: Reference) -> list[Document]:
        """Return the deliveries of an event, each with its endpoint, state and attempts."""
        with self.world.lock:
            return [dict(delivery) for delivery in self.world.get("event", id_of(event))["_deliveries"]]

    # Requests and faults

    @property
    def requests(self) -> list[Logged]:
        return list(self.api.log)

    def fail(
        self,
        kind: str,
        times: int = 1,
        path: str = "",
        method: str = "",
        seconds: float = 1.0,
        code: str = "",
        param: str = "",
    ) -> None:
        """Give this fault to the next `times` API requests that match. The kinds are in server/faults.py."""
        self.api.faults.plan(Fault(kind, times, path, method, seconds, code, param))

    def clear_faults(self) -> None:
        self.api.faults.clear()
