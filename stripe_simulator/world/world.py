"""A simulated Stripe account: its documents, clock, lock, scheduled tasks and outgoing events.

Every change happens inside `transaction`: on success it is written and its events are handed to the deliveries, on an
error it is undone. What Stripe does is in the modules of life/, which take the world as their first argument.
"""

from __future__ import annotations

import json
import secrets
import string
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stripe_simulator.world.chaos import Chaos
from stripe_simulator.world.clock import DUTIES, Clock
from stripe_simulator.world.errors import missing
from stripe_simulator.world.rendering import render
from stripe_simulator.world.store import Document, Store

ALPHABET = string.ascii_letters + string.digits


@dataclass
class Policy:
    """The settings of the simulated account. `settlement` is its currency; None keeps the currency of each payment."""

    api_version: str
    settlement: str | None = "eur"
    late_fees: bool = False
    late_fee_seconds: int = 2
    draft_seconds: int = 3600
    retry_days: tuple[int, ...] = (3, 5, 7)
    sepa_days: int = 5
    upcoming_days: int = 7
    payout_days: int | None = None
    available_days: int = 2
    failure_fee: int = 0
    dispute_fee_apart: bool = False
    names_replays: bool = True
    resume_is_told: bool = True
    methods: tuple[str, ...] = ("card", "link", "sepa_debit")
    elsewhere_days: int = 7


class World:
    """The state of the account. Take the lock before calling a method; `transaction`, `do_next`, `catch_up` take it."""

    def __init__(self, path: Path | None, policy: Policy, chaos: Chaos, base_url: str = "") -> None:
        self.store = Store(path)
        self.policy = policy
        self.chaos = chaos
        self.base_url = base_url
        self.lock = threading.RLock()
        self.on_events: Callable[[list[Document]], None] = lambda events: None
        self.request: dict[str, str | None] = {"id": None, "idempotency_key": None}
        self._depth = 0
        self._outgoing: list[Document] = []
        self._meta = self.store.find("_meta") or self.store.add({"id": "_meta", "object": "_meta", "offset": 0.0})
        self.clock = Clock(self._meta["offset"])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Take the lock; commit at the end of the outermost block, or undo everything if it raises."""
        with self.lock:
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self.store.rollback()
                    self._outgoing.clear()
                raise
            else:
                if self._depth == 1:
                    self._commit()
            finally:
                self._depth -= 1

    @contextmanager
    def requested_by(self, id: str, idempotency_key: str | None) -> Iterator[None]:
        """Name this API request in the events emitted within the block."""
        self.request = {"id": id, "idempotency_key": idempotency_key}
        try:
            yield
        finally:
            self.request = {"id": None, "idempotency_key": None}

    def _commit(self) -> None:
        if self._meta["offset"] != self.clock.offset:
            self._meta["offset"] = self.clock.offset
            self.store.put(self._meta)
        outgoing, self._outgoing = self._outgoing, []
        self.store.flush()
        if outgoing:
            self.on_events(outgoing)

    def now(self) -> int:
        return self.clock.now()

    def new_id(self, prefix: str, length: int = 24) -> str:
        return prefix + "_" + "".join(secrets.choice(ALPHABET) for _ in range(length))

    def get(self, kind: str, id: str | None, param: str = "id") -> Document:
        document = self.store.get(kind, id)
        if document is None:
            raise missing(kind, str(id), param)
        return document

    def add(self, document: Document, event: str | None = None) -> Document:
        self.store.add(document)
        if event:
            self.emit(event, document)
        return document

    def update(self, document: Document, event: str | None = None, **changes: Any) -> Document:
        """Change a document. With `event`, also emit that event with the attributes as they were before."""
        previous = {
            key: json.loads(json.dumps(document.get(key)))
            for key, value in changes.items()
            if not key.startswith("_") and document.get(key) != value
        }
        document.update(changes)
        self.store.put(document)
        if event:
            self.emit(event, document, previous)
        return document

    def emit(self, type: str, document: Document, previous: dict[str, Any] | None = None) -> None:
        """Record an event with the object in its current state. It is delivered after the transaction."""
        snapshot = render(self, document)
        self._record(type, snapshot, previous)
        if self.chaos.happens(self.chaos.two_ids):
            self._record(type, snapshot, previous)

    def _record(self, type: str, snapshot: Document, previous: dict[str, Any] | None) -> None:
        data: dict[str, Any] = {"object": snapshot}
        if previous is not None:
            data["previous_attributes"] = previous
        event = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": self.policy.api_version,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": dict(self.request),
            "type": type,
            "_deliveries": [],
        }
        self._outgoing.append(self.store.add(event))

    def schedule(self, at: float, duty: str, target: str) -> None:
        self.store.add({"id": self.new_id("_task"), "object": "_task", "at": at, "duty": duty, "target": target})

    def unschedule(self, duty: str, target: str) -> None:
        for task in self.store.where("_task", duty=duty, target=target):
            self.store.remove(task)

    def next_due(self, until: float) -> Document | None:
        due = [task for task in self.store.all("_task") if task["at"] <= until]
        return min(due, key=lambda task: (task["at"], task["_seq"]), default=None)

    def do_next(self, until: float) -> bool:
        """Run the earliest task that is due, with the clock stopped at its time. Return False if none is due."""
        with self.lock:
            task = self.next_due(until)
            if task is None:
                return False
            self.clock.move_to(task["at"])
            self.clock.instant = max(task["at"], 0)
            request, self.request = self.request, {"id": None, "idempotency_key": None}
            try:
                with self.transaction():
                    self.store.remove(task)
                    DUTIES[task["duty"]](self, task["target"])
            finally:
                self.clock.instant, self.request = None, request
            return True

    def catch_up(self) -> None:
        while self.do_next(self.clock.precise()):
            pass
