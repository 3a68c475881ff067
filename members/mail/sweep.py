"""A sweep over what is due: several senders side by side, at the pace of the installation, most urgent first.

Called by the tasks, every twenty seconds and again while more is due. Sending one letter is members/mail/sending.py.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from threading import Event

from django.db import connections

from members.mail import pace, sending
from members.mail.kinds import Stream
from members.mail.sending import EVERY_STREAM, RELATIONSHIP, SERVICE
from members.models import Message


@dataclass(frozen=True)
class Sweep:
    """What the senders of one sweep share. `is_over`: the mail server is away, so nobody need try now."""

    streams: Sequence[Stream]
    limit: int
    until: float
    is_over: Event = field(default_factory=Event)
    taken: count[int] = field(default_factory=lambda: count(1))  # counts for all senders: next() is atomic


def send_due(
    limit: int = 1000, seconds: float = 30, streams: Sequence[Stream] = EVERY_STREAM, senders: int = 1
) -> bool:
    """Send what is due, as long as limit and time allow. True when more may be due.

    Safe to run any number of times at once: a message is claimed by one sender. Short, so that other tasks of the same
    worker get their turn. Stops when the mail server is away.
    """
    sweep = Sweep(streams, limit, time.monotonic() + seconds)
    waiting = Message.objects.due().filter(stream__in=streams).order_by()[:senders].count() if senders > 1 else 1
    if waiting < 2:
        return _send_in_turn(sweep)
    with ThreadPoolExecutor(waiting - 1) as pool:
        others = [pool.submit(_beside, sweep) for _ in range(waiting - 1)]
        is_more = _send_in_turn(sweep)
    return any([is_more, *(other.result() for other in others)])


def _send_in_turn(sweep: Sweep) -> bool:
    while time.monotonic() < sweep.until:
        if sweep.is_over.is_set() or _must_step_aside(sweep.streams):
            return False
        if next(sweep.taken) > sweep.limit:
            return True
        pace.wait()
        message = sending.claim(streams=sweep.streams)
        if message is None:
            return False
        if sending.deliver(message).is_server_away:
            sweep.is_over.set()
    return not sweep.is_over.is_set()


def _must_step_aside(streams: Sequence[Stream]) -> bool:
    """Relationship letters leave only while no service letter is due: of the pace they get what is left over."""
    return tuple(streams) == RELATIONSHIP and Message.objects.due().filter(stream__in=SERVICE).exists()


def _beside(sweep: Sweep) -> bool:
    """A sender in a thread of its own, on connections of its own."""
    try:
        return _send_in_turn(sweep)
    finally:
        connections.close_all()
