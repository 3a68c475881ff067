"""Signs of life of what must always run: the drain beats in its loop, beat and the workers by tasks that beat sends.

Real time throughout. `/readyz`, the metrics, the alerts and `doctor` read them; nothing else depends on them.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from payments.models import Heartbeat

NAMES = ("drain", "worker", "beat", "bulk")
# Not a process: when an event in Stripe's form was last refused for its signature (payments/views/webhook.py).
REFUSED = "refused"
EVERY_SECONDS = 20.0
SILENT_AFTER = timedelta(minutes=3)
# What this worker does may take long, and then nothing else of it is heard.
BULK_SILENT_AFTER = timedelta(minutes=30)

_written_at: dict[str, float] = {}

_BEAT = """
INSERT INTO payments_heartbeat (name, beaten_at) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET beaten_at = greatest(payments_heartbeat.beaten_at, excluded.beaten_at)
"""


def beat(name: str, at: datetime | None = None) -> None:
    """Write down that `name` was alive at a moment, or is now: at most every 20 seconds a process, never backwards."""
    now = time.monotonic()
    if now - _written_at.get(name, -EVERY_SECONDS) < EVERY_SECONDS:
        return
    with connection.cursor() as cursor:
        cursor.execute(_BEAT, [name, at or timezone.now()])
    _written_at[name] = now


def refused_at() -> datetime | None:
    return Heartbeat.objects.filter(name=REFUSED).values_list("beaten_at", flat=True).first()


def ages() -> dict[str, float | None]:
    """Seconds since each was last heard of; None for one that never was. One query."""
    heard = dict(Heartbeat.objects.filter(name__in=NAMES).values_list("name", "beaten_at"))
    now = timezone.now()
    return {name: max(0.0, (now - heard[name]).total_seconds()) if name in heard else None for name in NAMES}


def is_silent(name: str, age: float | None) -> bool:
    """Whether that is too long, or `name` was never heard of."""
    return age is None or age > (BULK_SILENT_AFTER if name == "bulk" else SILENT_AFTER).total_seconds()


def stale() -> list[str]:
    """Who has been silent for too long."""
    return [name for name, age in ages().items() if is_silent(name, age)]
