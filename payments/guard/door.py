"""The door to Stripe's pages: open as always, guarded, or closed to the suspicious; and back by itself.

Guarded, whoever begins a gift proves some work first (proof.py), and sessions last half an hour. Closed, suspicious
sources are held back as well; everybody else passes as when guarded. Judged every minute by the drain and by a task,
and after failed tries. An open DoorPeriod is the present state; without one, the door is open as always. Business time.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from members import clock
from members.newsroom import values as newsroom
from payments import locks
from payments.guard import tries
from payments.models import Checkout, CheckoutOrigin, DoorPeriod, FailedTry

log = logging.getLogger("hromada.guard")

State = DoorPeriod.State

# An attack: more failed tries within an hour than MOST_DECLINES, and more than one for every MOST_OF_GIFTS gifts that
# were paid. Of honest cards about one in twenty fails, so that a night on which thousands give is none.
MOST_DECLINES, MOST_OF_GIFTS = 30, 6
# A state lasts at least so long, and ends when half of what began it is left, so that the door does not flap.
LASTS_AT_LEAST = timedelta(minutes=30)


@dataclass(frozen=True)
class Seen:
    """The counts: failed tries and paid gifts of an hour, suspicious sources, gifts begun of late."""

    declines: int
    paid: int
    suspects: int
    begun: int

    def is_attack(self, part: int = 1) -> bool:
        """Return whether more tries failed than MOST_DECLINES divided by `part`, and too many for the paid gifts."""
        return self.declines > MOST_DECLINES // part and self.declines * MOST_OF_GIFTS > self.paid

    def is_busy(self, part: int = 1) -> bool:
        return self.begun > newsroom.number("CHECKOUT_LIMIT_IN_ALL") // part


def state() -> State:
    """Return the present state. One small query."""
    found = DoorPeriod.objects.filter(until=None).values_list("state", flat=True).first()
    return State(found or State.NORMAL)


def declines() -> int:
    """Return how many tries failed within the last hour."""
    return FailedTry.objects.filter(tried_at__gte=clock.now() - tries.HOUR).count()


def seen() -> Seen:
    now = clock.now()
    hour = now - tries.HOUR
    window = now - timedelta(seconds=newsroom.number("CHECKOUT_LIMIT_SECONDS"))
    failed = declines()
    return Seen(
        declines=failed,
        paid=Checkout.objects.filter(created_at__gte=hour - tries.HOUR, completed_at__gte=hour).count(),
        suspects=len(tries.suspects()) if failed else 0,
        begun=CheckoutOrigin.objects.filter(noted_at__gte=window).count(),
    )


def judge(*, is_busy: bool = False) -> State:
    """Count, take the next state if it is time, and return the present one.

    `is_busy`: more gifts were begun than CHECKOUT_LIMIT_IN_ALL, as somebody has just counted. Safe to call
    concurrently: who finds another process judging returns the present state. Never call it inside a transaction.
    """
    with locks.taken(["door"]) as taken:
        if not taken:
            return State.GUARDED if is_busy else state()
        period = DoorPeriod.objects.filter(until=None).first()
        found = seen()
        now = State(period.state) if period else State.NORMAL
        wanted = _next(period, found, is_busy=is_busy)
        if wanted != now:
            _enter(period, wanted, found)
        return wanted


def _next(period: DoorPeriod | None, found: Seen, *, is_busy: bool) -> State:
    if period is None:
        return State.GUARDED if is_busy or found.is_busy() or found.is_attack() else State.NORMAL
    if period.state == State.GUARDED and found.is_attack() and found.suspects:
        return State.CLOSED
    if clock.now() - period.since < LASTS_AT_LEAST:
        return State(period.state)
    if period.state == State.CLOSED:
        return State.CLOSED if found.is_attack() and found.suspects else State.GUARDED
    is_calm = not (is_busy or found.is_busy(part=2) or found.is_attack(part=2))
    return State.NORMAL if is_calm else State.GUARDED


def _enter(period: DoorPeriod | None, wanted: State, found: Seen) -> None:
    now = clock.now()
    with transaction.atomic():
        if period:
            DoorPeriod.objects.filter(pk=period.pk).update(until=now)
        if wanted != State.NORMAL:
            facts = {"declines": found.declines, "begun": found.begun, "suspects": found.suspects}
            DoorPeriod.objects.create(state=wanted, since=now, **facts)
    log.warning("door.%s declines=%s begun=%s suspects=%s", wanted, found.declines, found.begun, found.suspects)
