"""The sweep: sends all due messages with several threads, at the installation's pace, most urgent first.

Called by tasks.py every twenty seconds, and again if more are due. Sending one email is in sending.py.
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
    """The state that all senders of one sweep share. `until` is a time of `time.monotonic()`.

    `is_over` is set when the mail server fails, so that the other senders stop too.
    """

    streams: Sequence[Stream]
    limit: int
    until: float
    is_over: Event = field(default_factory=Event)
    taken: count[int] = field(default_factory=lambda: count(1))  # shared by all threads: next() is atomic


def send_due(
    limit: int = 1000, seconds: float = 30, streams: Sequence[Stream] = EVERY_STREAM, senders: int = 1
) -> bool:
    """Send due messages of these streams; return True if it stopped at `limit` or `seconds` and more may be due.

    Uses up to `senders` threads, fewer if fewer messages are due. Stops, returning False, if the mail server fails.
    Short, so that other tasks of the worker get their turn. Safe to call concurrently: each message is claimed once.
    """
    sweep = Sweep(streams, limit, time.monotonic() + seconds)
    waiting = Message.objects.due().filter(stream__in=streams).order_by()[:senders].count() if senders > 1 else 1
    if waiting < 2:
        return _send_in_turn(sweep)
    with ThreadPoolExecutor(waiting - 1) as pool:
        others = [pool.submit(_send_in_thread, sweep) for _ in range(waiting - 1)]
        is_more = _send_in_turn(sweep)
    return any([is_more, *(other.result() for other in others)])


def _send_in_turn(sweep: Sweep) -> bool:
    """Send one message after another; return whether more may be due."""
    while time.monotonic() < sweep.until:
        if sweep.is_over.is_set() or _must_yield(sweep.streams):
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


def _must_yield(streams: Sequence[Stream]) -> bool:
    """Return whether a sweep of optional emails must stop because a service or staff email is due.

    False for every other sweep.
    """
    return tuple(streams) == RELATIONSHIP and Message.objects.due().filter(stream__in=SERVICE).exists()


def _send_in_thread(sweep: Sweep) -> bool:
    """Run `_send_in_turn` in a thread of its own, and close the database connections it opened."""
    try:
        return _send_in_turn(sweep)
    finally:
        connections.close_all()
