"""`Simulator`: one simulated Stripe account with everything that hangs on it, and its controls for tests.

Every method is safe from any thread and commits before it answers. Amounts are integers in minor units. What may be
referred to by id may also be given as the document or the SDK's object.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import stripe

from .api.dispatch import Api, Logged
from .api.events import endpoint
from .application import Application
from .chaos import Chaos
from .clock import DAY, as_timestamp
from .deliveries import Deliverer, Post, signed
from .errors import missing
from .faults import Fault
from .life import charging, checkout, disputes, invoicing, methods, payouts, refunds, settlement, subscriptions
from .life.methods import Means
from .rendering import render
from .store import Document
from .world import Policy, World

Reference = Any
KEY_PREFIX = "sk_test_simulator"
TICK = 0.5


class Simulator:
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
        self.on_advance = on_advance
        self.webhook_secret = webhook_secret
        self._moving = threading.Lock()
        self._stopped = threading.Event()
        self.api = Api(self.world, secret_key)
        self._register(webhook_url or ("http://held.invalid/webhooks/stripe/" if hold or post else None))
        self.deliverer = Deliverer(self.world, post, hold=hold)
        self.wsgi = Application(self)
        if self.world.policy.payout_days:
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
        with self.world.transaction():
            if not self.world.store.where("_task", duty="payouts"):
                self.world.schedule(self.now() + (self.world.policy.payout_days or 1) * DAY, "payouts", "account")

    def _tick(self) -> None:
        """Real time passes too: what falls due without anybody moving the clock."""
        while not self._stopped.wait(TICK):
            self.world.catch_up()

    def close(self) -> None:
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
        return self.deliver([_id(event)])[0]

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
            return [dict(delivery) for delivery in self.world.get("event", _id(event))["_deliveries"]]

    # Requests and faults

    @property
    def requests(self) -> list[Logged]:
        return list(self.api.log)

    def fail(self, kind: str, times: int = 1, path: str = "", method: str = "", seconds: float = 1.0) -> None:
        """The next `times` API requests that match get this fault; kinds are in faults.py."""
        self.api.faults.plan(Fault(kind, times, path, method, seconds))

    def clear_faults(self) -> None:
        self.api.faults.clear()

    # What people and banks do

    def get(self, id: Reference, expand: Iterable[str] = ()) -> Document:
        """Any object by its id, as the API would show it."""
        with self.world.lock:
            return render(self.world, self._any(id), expand)

    def _any(self, id: Reference) -> Document:
        found = self.world.store.find(_id(id))
        if found is None:
            raise missing("object", str(id))
        return found

    def pay(
        self,
        session: Reference,
        card: str = "4242424242424242",
        *,
        iban: str | None = None,
        email: str | None = "reader@example.org",
        name: str | None = "A Reader",
        authenticate: bool | None = None,
        expires: tuple[int, int] | None = None,
    ) -> checkout.Outcome:
        """Fill the hosted page in. `authenticate` answers 3-D Secure at once: True completes, False fails it."""
        with self.world.transaction():
            document = self.world.get("checkout.session", _id(session))
            outcome = checkout.pay(self.world, document, Means(card, iban, expires), email, name)
            if outcome.result is charging.Result.REQUIRES_ACTION and authenticate is not None:
                outcome = checkout.authenticate(self.world, document, passes=authenticate)
            return outcome

    def authenticate(self, session: Reference, passes: bool = True) -> checkout.Outcome:
        with self.world.transaction():
            document = self.world.get("checkout.session", _id(session))
            return checkout.authenticate(self.world, document, passes=passes)

    def expire(self, session: Reference) -> None:
        with self.world.transaction():
            checkout.expire(self.world, self.world.get("checkout.session", _id(session))["id"])

    def settle_sepa(self, payment: Reference, succeeds: bool = True) -> None:
        """The bank answers now about a pending charge: a charge, payment intent, session or subscription."""
        with self.world.transaction():
            settlement.settle(self.world, self._charge(payment), succeeds=succeeds)

    def set_payment_method(
        self,
        customer: Reference,
        card: str = "4242424242424242",
        *,
        iban: str | None = None,
        expires: tuple[int, int] | None = None,
        retry_now: bool = False,
    ) -> Document:
        """Put another card or account in place, for the customer and every running subscription."""
        with self.world.transaction():
            person = self.world.get("customer", _id(customer))
            method = methods.make(self.world, Means(card, iban, expires), person["email"], person["name"])
            methods.make_default(self.world, method, person)
            if retry_now:
                self._retry_open(person)
            return render(self.world, method)

    def _retry_open(self, person: Document) -> None:
        for invoice in self.world.store.where("invoice", customer=person["id"], status="open"):
            if invoice["auto_advance"]:
                invoicing.retry(self.world, invoice["id"])

    def refund(self, payment: Reference, amount: int | None = None, **given: Any) -> Document:
        """From the dashboard: a charge, payment intent or session; everything that is left unless told."""
        with self.world.transaction():
            return render(self.world, refunds.refund(self.world, self._charge(payment), amount, **given))

    def fail_refund(self, refund: Reference, reason: str = "expired_or_canceled_card") -> None:
        with self.world.transaction():
            refunds.fail(self.world, self.world.get("refund", _id(refund)), reason)

    def dispute(
        self, payment: Reference, amount: int | None = None, reason: str = "fraudulent", *, inquiry: bool = False
    ) -> Document:
        with self.world.transaction():
            document = disputes.dispute(self.world, self._charge(payment), amount, reason, inquiry)
            return render(self.world, document)

    def close_dispute(self, dispute: Reference, won: bool) -> None:
        with self.world.transaction():
            disputes.close(self.world, self.world.get("dispute", _id(dispute)), won=won)

    def payout(self) -> list[Document]:
        """Pay out what is available, now; it arrives a day later."""
        with self.world.transaction():
            return [render(self.world, payout) for payout in payouts.pay_out(self.world)]

    def fail_payout(self, payout: Reference) -> None:
        with self.world.transaction():
            payouts.fail(self.world, self.world.get("payout", _id(payout)))

    def cancel(self, subscription: Reference, *, at_period_end: bool = False) -> None:
        """From the dashboard or the hosted portal."""
        with self.world.transaction():
            subscriptions.cancel(self.world, self.world.get("subscription", _id(subscription)), at_period_end)

    def snapshot(self) -> dict[str, dict[str, int]]:
        """Balance transactions added up: {currency: {type: net..., "gross", "fees", "net"}}."""
        totals: dict[str, dict[str, int]] = {}
        with self.world.lock:
            for row in self.world.store.all("balance_transaction"):
                kept = totals.setdefault(row["currency"], {"gross": 0, "fees": 0, "net": 0})
                kept["gross"] += row["amount"]
                kept["fees"] += row["fee"]
                kept["net"] += row["net"]
                kept[row["type"]] = kept.get(row["type"], 0) + row["net"]
        return totals

    def _charge(self, payment: Reference) -> Document:
        """The latest charge of whatever stands for a payment."""
        document = self._any(payment)
        if document["object"] == "subscription":
            document = self._any(document["latest_invoice"])
        if document["object"] in ("invoice", "checkout.session"):
            document = self._any(document["_intent"])
        if document["object"] == "payment_intent":
            document = self._any(document["latest_charge"])
        return document


def _id(reference: Reference) -> str:
    if isinstance(reference, str):
        return reference
    return str(reference["id"])
