"""Where a random life takes place: the stage, what is remembered of the life, and how somebody is found for a rule.

Real rows, committed as always: the tables are emptied before each life. What is drawn never depends on what happened,
since faults meet threads and no two runs of one life are the same to the letter. A rule that finds nobody does nothing.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

import stripe
from django.db.models import Model, QuerySet
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from members import clock
from payments import errors
from payments.books import settlements
from payments.crash_points import trap
from payments.models import Checkout, Payment, Subscription
from stripe_simulator.life.checkout import NotOpen
from stripe_simulator.world.errors import StripeRefusal
from tests import factories
from tests.stage import KEY, Stage, hidden_fields

Thing = TypeVar("Thing")
Row = TypeVar("Row", bound=Model)
ANSWERS = (
    errors.AlreadyStopped,
    errors.AlreadyClosed,
    errors.NothingToChange,
    errors.NothingToRefund,
    errors.RefundOutOfRange,
    errors.RefundUnderWay,
    errors.StripeRefused,
    errors.StripeUnavailable,
)
# Stripe, or its stand-in, says no, or has a bad day: somebody at a dashboard shrugs.
SHRUGGED_AT = (StripeRefusal, NotOpen, stripe.StripeError)


class TimeIsUp(KeyboardInterrupt):
    """No life begins any more. Hypothesis lets nothing but an interrupt through at once."""


class House(RuleBasedStateMachine):
    stage_of: ClassVar[Any] = None
    lives: ClassVar[int] = 0
    steps: ClassVar[int] = 0
    # The moment, by time.monotonic(), after which no life begins.
    until: ClassVar[float] = 0

    def __init__(self) -> None:
        super().__init__()
        if time.monotonic() > self.until:
            raise TimeIsUp
        self.lost: set[str] = set()
        self.paid_by_hand: set[str] = set()
        # Changes of the next sum of which no event tells: the id of the gift or its customer, and when.
        self.by_hand: list[tuple[str, datetime]] = []
        # Daily jobs at these moments wrote of gifts that had been changed at Stripe without our hearing of it.
        self.uninformed: list[datetime] = []
        # Staff took a stop of ours back, or set another end date, in the dashboard: the gift, and when.
        self.stops_undone: list[tuple[str, datetime]] = []
        self.is_key_refused = False
        self.was_silent = False
        self.dies_at = ""
        self.forms: list[dict[str, str]] = []
        self.scene: Iterator[Stage] = type(self).stage_of()
        self.stage = next(self.scene)
        self.began = clock.now() - timedelta(hours=1)
        self.stripe = self.stage.stripe
        self.dashboard = stripe.StripeClient(KEY, base_addresses={"api": self.stripe.base_url}).v1
        self.marta = factories.staff()
        House.lives += 1

    def check_invariants(self, *args: Any, **kwargs: Any) -> None:
        """After every step."""
        House.steps += 1
        super().check_invariants(*args, **kwargs)

    @initialize(by_debit=st.booleans())
    def somebody_gives_already(self, by_debit: bool) -> None:
        """Most of what may happen happens to a gift: none waits for its first one."""
        self.pays(self.sends(self.fills_in(("month", "10"), "olena@example.org")))
        how = {"iban": "DE89370400440532013000"} if by_debit else {}
        self.pays(self.sends(self.fills_in(("month", "20"), "marko@example.org")), **how)
        self.pays(self.sends(self.fills_in(("once", "25"), "ira@example.org")))
        self.stage.bring()
        self.stage.work()

    # What we do, and what comes between

    @contextlib.contextmanager
    def doing(self) -> Iterator[None]:
        """Something of ours that asks Stripe. It may be told no, hear nothing, or be killed where a rule said so."""
        point, self.dies_at = self.dies_at, ""
        with trap(point), contextlib.suppress(*ANSWERS):
            yield

    def works(self) -> None:
        """The drain, as its command does it: what Stripe does not answer is asked again later."""
        with contextlib.suppress(errors.StripeUnavailable, errors.StripeRefused):
            self.stage.work()

    def settles(self) -> None:
        with contextlib.suppress(errors.StripeUnavailable, errors.StripeRefused):
            settlements.collect()

    def passes(self, span: timedelta) -> None:
        """Both clocks."""
        self.stripe.advance(seconds=span.total_seconds())
        clock.move(span)

    # Readers

    def fills_in(self, gift: tuple[str, str], who: str, currency: str = "EUR") -> dict[str, str]:
        choice = {"frequency": gift[0], "amount": gift[1], "currency": currency}
        page = self.stage.client.get("/support/details/", choice)
        fields = hidden_fields(page.content.decode()) | {"email": who, "name": "Олена Коваль"}
        self.forms.append(fields)
        return fields

    def sends(self, fields: dict[str, str]) -> Checkout | None:
        """Press the button: the checkout that waits at Stripe; None when Stripe does not answer, or it was paid."""
        with self.doing():
            answer = self.stage.client.post("/support/details/", fields)
            possible = {303, 503, 502} if self.is_key_refused else {303, 503}
            assert answer.status_code in possible, answer.content.decode()
            if answer.status_code == 303:
                return Checkout.objects.filter(stripe_session_url=answer["Location"]).first()
        return None

    def pays(self, checkout: Checkout | None, **how: Any) -> None:
        if checkout and checkout.stripe_session_id:
            with contextlib.suppress(*SHRUGGED_AT):
                self.stage.pay(checkout, **how)

    # Who is there

    def received(self, number: int, **facts: Any) -> Payment | None:
        return one_of(Payment.objects.filter(status="succeeded", **facts), number)

    def alive(self, number: int) -> Subscription | None:
        return one_of(Subscription.objects.alive(), number)

    def at_stripe(self, kind: str, number: int, **facts: Any) -> dict[str, Any] | None:
        with self.stripe.world.lock:
            return nth(self.stripe.world.store.where(kind, **facts), number)

    def on_their_way(self) -> list[dict[str, Any]]:
        return [event for event in self.stripe.outbox() if event["id"] not in self.lost]


def one_of(rows: QuerySet[Row], number: int) -> Row | None:
    """The same number finds the same row, as long as there are as many."""
    return nth(rows.order_by("pk"), number)


def nth(things: Sequence[Thing] | QuerySet[Any], number: int) -> Any:
    found = list(things)
    return found[number % len(found)] if found else None
