"""Signs of life of the processes that must always run: the drain, Celery's beat and the workers of both queues.

The drain records its own in its loop; the others are recorded by tasks that beat sends (payments/tasks.py). Read by
`/readyz`, the metrics, the alerts and `doctor`. Real time throughout: moving the business date changes nothing here.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from payments.models import Heartbeat

NAMES = ("drain", "worker", "beat", "bulk")
# Not a process: the time at which an event in Stripe's form was last refused for its signature
# (payments/views/webhook.py).
REFUSED = "refused"
EVERY_SECONDS = 20.0
SILENT_AFTER = timedelta(minutes=3)
# A task on this queue may take long, and until it ends the worker sends no sign of life.
BULK_SILENT_AFTER = timedelta(minutes=30)

_written_at: dict[str, float] = {}

_BEAT = """
INSERT INTO payments_heartbeat (name, beaten_at) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET beaten_at = greatest(payments_heartbeat.beaten_at, excluded.beaten_at)
"""


def beat(name: str, at: datetime | None = None) -> None:
    """Record that `name` was alive at `at`, or is alive now if no time is given.

    Writes at most every EVERY_SECONDS per process and name, and never moves a recorded time backwards.
    """
    now = time.monotonic()
    if now - _written_at.get(name, -EVERY_SECONDS) < EVERY_SECONDS:
        return
    with connection.cursor() as cursor:
        cursor.execute(_BEAT, [name, at or timezone.now()])
    _written_at[name] = now


def refused_at() -> datetime | None:
    """Return when an event was last refused for its signature, or None if that never happened."""
    return Heartbeat.objects.filter(name=REFUSED).values_list("beaten_at", flat=True).first()


def ages() -> dict[str, float | None]:
    """Return the seconds since the last sign of life of each process in NAMES, None if there was none. One query."""
    heard = dict(Heartbeat.objects.filter(name__in=NAMES).values_list("name", "beaten_at"))
    now = timezone.now()
    return {name: max(0.0, (now - heard[name]).total_seconds()) if name in heard else None for name in NAMES}


def is_silent(name: str, age: float | None) -> bool:
    """Return whether `age`, in seconds, is too long for this process. None, no sign of life so far, always is."""
    return age is None or age > (BULK_SILENT_AFTER if name == "bulk" else SILENT_AFTER).total_seconds()


def stale() -> list[str]:
    """Return the names of the processes that have been silent for too long, in the order of NAMES."""
    return [name for name, age in ages().items() if is_silent(name, age)]
