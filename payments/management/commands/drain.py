from __future__ import annotations

import logging
import signal
import time
from argparse import ArgumentParser
from datetime import datetime
from types import FrameType
from typing import Any

import psycopg
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import connection

from members import clock
from payments import heartbeats, key_faults
from payments.alerts import watch
from payments.books import settlements
from payments.errors import StripeRefused, StripeUnavailable
from payments.inbox import queue
from payments.webhooks import drain

log = logging.getLogger("hromada.drain")

POLL_SECONDS = 2.0
SETTLE_EVERY_SECONDS = 10.0
WATCH_EVERY_SECONDS = 60.0
# When all processes start together, the others have given no sign of life yet.
WATCH_FROM_SECONDS = 180.0
# What Django adds to the parameters of a connection for its own cursors.
OF_DJANGO = ("context", "cursor_factory")


class Command(BaseCommand):
    help = "Processes the events that have arrived, until stopped. Run as many as you like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="process events until none is due, then exit")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            count = drain.until_nothing_is_due()
            settle(None)
            self.stdout.write(f"{count} events processed")
            return
        _Drain().run()


class _Drain:
    """The loop of the event worker: process due events, sometimes check alerts and read settlements, then sleep."""

    def __init__(self) -> None:
        self.is_stopping = False
        self.next_settling = 0.0
        self.last_settling: datetime | None = None
        self.next_watching = time.monotonic() + WATCH_FROM_SECONDS
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)

    def stop(self, number: int, frame: FrameType | None) -> None:
        self.is_stopping = True

    def run(self) -> None:
        """Process events until stopped by a signal. While the database cannot be reached, retry every second."""
        while not self.is_stopping:
            try:
                with listener() as connected:
                    self._process(connected)
            except (DatabaseError, psycopg.Error) as error:
                log.warning("database not reachable (%s); retrying in a second", type(error).__name__)
                connection.close()
                time.sleep(1)

    def _process(self, listener: psycopg.Connection[Any]) -> None:
        """Process events until stopped; when none is due, sleep until a notice, the next due event or the next poll."""
        while not self.is_stopping:
            heartbeats.beat("drain")
            processed = drain.work()
            self._watch_now_and_then()
            if not processed:
                self._settle_now_and_then()
                for _ in listener.notifies(timeout=queue.seconds_until_due(POLL_SECONDS), stop_after=1):
                    pass

    def _watch_now_and_then(self) -> None:
        """Check the alert rules as a task does too: this one still works without beat, workers and Redis."""
        if time.monotonic() >= self.next_watching:
            self.next_watching = time.monotonic() + WATCH_EVERY_SECONDS
            watch.judge()

    def _settle_now_and_then(self) -> None:
        if time.monotonic() >= self.next_settling:
            self.next_settling = time.monotonic() + SETTLE_EVERY_SECONDS
            self.last_settling = settle(self.last_settling)


def listener() -> psycopg.Connection[Any]:
    """Return a connection of its own that listens for new events, so that waiting keeps no other one busy.

    It has every option of DATABASE_URL, such as sslmode.
    """
    parameters = connection.get_connection_params()
    wanted = {name: value for name, value in parameters.items() if name not in OF_DJANGO}
    listener = psycopg.connect(**wanted, autocommit=True)
    listener.execute(f"LISTEN {queue.CHANNEL}")
    return listener


def settle(last_asked: datetime | None) -> datetime | None:
    """Read the settlements that are due from Stripe; return the time, or `last_asked` if Stripe did not answer.

    `last_asked` is the time of the last successful call, None at first. Settlements that were not read stay due.
    """
    now = clock.now()
    try:
        with key_faults.noted("settlements"):
            settlements.collect(settlements.due(last_asked, now))
    except (StripeUnavailable, StripeRefused) as error:
        log.warning("settlements not read (%s); retrying later", type(error).__name__)
        return last_asked
    return now
