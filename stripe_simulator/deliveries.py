"""Webhook deliveries: signed with real time, posted, retried with growing delay for three days, each attempt stored.

A delivery is due in simulated time, so that moving the clock also makes the retries of the skipped days. Nothing is
posted while the world's lock is held, because the receiver may call the API before it answers.
"""

from __future__ import annotations

import heapq
import http.client
import itertools
import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from stripe import WebhookSignature

from stripe_simulator.world.clock import DAY
from stripe_simulator.world.rendering import visible
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

log = logging.getLogger("stripe_simulator")

Post = Callable[[str, bytes, dict[str, str]], int]

GIVE_UP = 3 * DAY
LONGEST_WAIT = 3_600.0
TIMEOUT = 20.0
SETTLED = ("delivered", "failed", "dropped")


@dataclass(frozen=True)
class Handed:
    """A delivery that the caller of `hand_over` posts to the endpoint: the event, its payload and its headers."""

    id: str
    type: str
    url: str
    payload: str
    headers: dict[str, str]


def signed(payload: bytes, secret: str) -> dict[str, str]:
    """Return the headers for delivering exactly these bytes, signed with the current real time."""
    signature = WebhookSignature.generate_signature_header(payload.decode(), secret)
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature,
        "User-Agent": "Stripe/1.0 (simulator)",
    }


def payload_of(event: Document) -> bytes:
    return json.dumps(visible(event), indent=2, ensure_ascii=False).encode()


def post_over_http(url: str, payload: bytes, headers: dict[str, str]) -> int:
    """Post a delivery; return the status of the answer, or 0 without one."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        connection.request("POST", parts.path or "/", payload, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


class Deliverer:
    """Delivers the world's events to its webhook endpoints: in its own thread, or in the caller's with `deliver`.

    While `holding`, the thread delivers nothing.
    """

    def __init__(self, world: World, post: Post | None, *, hold: bool) -> None:
        self._world = world
        self._post = post or post_over_http
        self.holding = hold
        self._queue: list[tuple[float, int, str, int]] = []
        self._count = itertools.count()
        self._at_work = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False
        world.on_events = self.accept
        for event in world.store.all("event"):
            self._enqueue(event)

    def accept(self, events: list[Document]) -> None:
        """Store for new events which endpoints receive them and when, and queue them. The world calls this."""
        for event in events:
            self._address(event)
            self._world.store.put(event)
            self._enqueue(event)
        self._world.store.flush()

    def _address(self, event: Document) -> None:
        """Add a delivery to the event for each endpoint that receives it, with the chaos that is set."""
        chaos = self._world.chaos
        dropped = chaos.happens(chaos.drop)
        event["pending_webhooks"] = 0
        for endpoint in self._world.store.where("webhook_endpoint", status="enabled"):
            if not {"*", event["type"]} & set(endpoint["enabled_events"]):
                continue
            event["pending_webhooks"] += 1
            for _ in range(2 if chaos.happens(chaos.duplicate) else 1):
                due = self._world.clock.precise() + chaos.pause()
                state = "dropped" if dropped else "pending"
                event["_deliveries"].append({"endpoint": endpoint["id"], "state": state, "due": due, "attempts": []})

    def _enqueue(self, event: Document) -> None:
        with self._changed:
            for index, delivery in enumerate(event["_deliveries"]):
                if delivery["state"] not in SETTLED:
                    heapq.heappush(self._queue, (delivery["due"], next(self._count), event["id"], index))
            self._changed.notify_all()
        if not self.holding:
            self.start()

    def start(self) -> None:
        if self._thread is None and not self._stopped:
            self._thread = threading.Thread(target=self._run, name="stripe-simulator-deliveries", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(TIMEOUT)

    def _run(self) -> None:
        while not self._stopped:
            taken = self._next()
            if taken is None:
                continue
            try:
                self._attempt(*taken)
            finally:
                with self._changed:
                    self._at_work -= 1
                    self._changed.notify_all()

    def _next(self) -> tuple[str, int] | None:
        """Return the event id and the index of the next due delivery; None after a short wait if none is due."""
        with self._changed:
            now = self._world.clock.precise()
            if self.holding or not self._queue or self._queue[0][0] > now:
                wait = self._queue[0][0] - now if self._queue and not self.holding else 0.5
                self._changed.wait(min(max(wait, 0.001), 0.5))
                return None
            _, _, id, index = heapq.heappop(self._queue)
            self._at_work += 1
            return id, index

    def wake(self) -> None:
        """Wake the thread after the clock moved or `holding` changed."""
        with self._changed:
            self._changed.notify_all()

    def _attempt(self, id: str, index: int) -> int | None:
        event = self._world.store.get("event", id)
        if event is None or event["_deliveries"][index]["state"] in SETTLED:
            return None
        delivery = event["_deliveries"][index]
        endpoint = self._world.store.get("webhook_endpoint", delivery["endpoint"])
        if endpoint is None or endpoint["status"] != "enabled":
            status = 0
        else:
            payload = payload_of(event)
            status = self._post_safely(endpoint["url"], payload, signed(payload, endpoint["_secret"]))
        self._write_down(id, index, status)
        return status

    def _post_safely(self, url: str, payload: bytes, headers: dict[str, str]) -> int:
        """Post a delivery; return the status, or 0 if a receiver in this process raises: the thread must not end."""
        try:
            return self._post(url, payload, headers)
        except Exception:
            log.exception("the receiver raised while it was given an event")
            return 0

    def _write_down(self, id: str, index: int, status: int) -> None:
        """Record an attempt. Unless it was accepted, plan the next one, or give up after GIVE_UP."""
        with self._world.transaction():
            delivery = self._note(self._world.get("event", id), index, status)
        if delivery["state"] == "retrying":
            with self._changed:
                heapq.heappush(self._queue, (delivery["due"], next(self._count), id, index))

    def _note(self, event: Document, index: int, status: int) -> Document:
        """Record an attempt and its status on the event; return the delivery with its new state."""
        delivery: Document = event["_deliveries"][index]
        delivery["attempts"].append({"at": time.time(), "status": status})
        if 200 <= status < 300:
            delivery["state"] = "delivered"
        elif self._world.now() - event["created"] > GIVE_UP:
            delivery["state"] = "failed"
        else:
            delivery["state"] = "retrying"
            delay = min(2.0 ** len(delivery["attempts"]) / 2, LONGEST_WAIT)
            delivery["due"] = self._world.clock.precise() + delay
        if delivery["state"] in SETTLED:
            event["pending_webhooks"] = sum(each["state"] not in SETTLED for each in event["_deliveries"])
        self._world.store.put(event)
        return delivery

    def flush(self, timeout: float) -> bool:
        """Wait until nothing is left to deliver. Return False if that would take longer, or if `holding` is set."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._queue or self._at_work:
                left = deadline - time.monotonic()
                first = self._queue[0][0] - self._world.clock.precise() if self._queue else 0.0
                if left <= 0 or (not self._at_work and (first > left or self.holding)):
                    return False
                self._changed.wait(min(left, 0.2))
        return True

    def outbox(self) -> list[Document]:
        """Return the events that still have to be delivered, oldest first."""
        with self._world.lock:
            return [
                event
                for event in self._world.store.all("event")
                if any(delivery["state"] not in SETTLED for delivery in event["_deliveries"])
            ]

    def hand_over(self, taken: Collection[str]) -> list[Handed]:
        """Return all waiting deliveries, oldest first, for a caller who posts them to the endpoints.

        `taken` are ids of events that the caller has posted: they count as delivered. All others are returned again.
        """
        with self._changed:
            waiting = sorted(self._queue)
            self._queue = [entry for entry in waiting if entry[2] not in taken]
        with self._world.transaction():
            for _due, _count, id, index in waiting:
                if id in taken:
                    self._note(self._world.get("event", id), index, 200)
            return [handed for _, _, id, index in self._queue if (handed := self._handed(id, index))]

    def _handed(self, id: str, index: int) -> Handed | None:
        """Return the delivery signed for its endpoint, or None if the endpoint is removed or disabled."""
        event = self._world.get("event", id)
        endpoint = self._world.store.get("webhook_endpoint", event["_deliveries"][index]["endpoint"])
        if endpoint is None or endpoint["status"] != "enabled":
            return None
        payload = payload_of(event)
        return Handed(id, event["type"], endpoint["url"], payload.decode(), signed(payload, endpoint["_secret"]))

    def deliver(self, events: Iterable[Document | str]) -> list[int]:
        """Post these events now, in this order, in the caller's thread, whatever their state; return the statuses.

        Raises LookupError for an event that no endpoint receives.
        """
        return [self._deliver(event if isinstance(event, str) else event["id"]) for event in events]

    def _deliver(self, id: str) -> int:
        with self._world.transaction():
            event = self._world.get("event", id)
            if not event["_deliveries"]:
                self._address(event)
            delivery = event["_deliveries"][0] if event["_deliveries"] else None
            endpoint = self._world.store.get("webhook_endpoint", delivery and delivery["endpoint"])
        if delivery is None or endpoint is None:
            raise LookupError(f"{id} ({event['type']}) is not addressed to any webhook endpoint")
        payload = payload_of(event)
        status = self._post(endpoint["url"], payload, signed(payload, endpoint["_secret"]))
        self._settle_by_hand(event, status)
        return status

    def _settle_by_hand(self, event: Document, status: int) -> None:
        """Record an attempt of `deliver` on all deliveries of the event. If accepted, none of them is tried again."""
        with self._world.transaction():
            for delivery in event["_deliveries"]:
                delivery["attempts"].append({"at": time.time(), "status": status})
                if 200 <= status < 300:
                    delivery["state"] = "delivered"
            self._world.store.put(event)
        with self._changed:
            self._queue = [entry for entry in self._queue if not (entry[2] == event["id"] and 200 <= status < 300)]
            heapq.heapify(self._queue)
            self._changed.notify_all()
