"""The business clock: "now" and "today" for schedules, grace periods, reminders and memberships.

Signatures, leases, tokens and locks do not use it: they need real time. With DEBUG on, `manage.py clock` moves it
forward for every process with the same DATA_DIR; otherwise it is real time.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone


def now() -> datetime:
    """Return the current business time, aware: real time plus `offset()`."""
    return timezone.now() + offset()


def today() -> date:
    """Return the current business date in the newsroom's time zone (TIME_ZONE)."""
    return day_of(now())


def day_of(moment: datetime) -> date:
    """Return the calendar date of an aware datetime in the newsroom's time zone (TIME_ZONE)."""
    return timezone.localtime(moment).date()


def offset() -> timedelta:
    """Return how far the clock is ahead of real time; zero without DEBUG, or if it was never moved."""
    if not settings.DEBUG:
        return timedelta(0)
    try:
        return timedelta(seconds=float(_file().read_text()))
    except (FileNotFoundError, ValueError):
        return timedelta(0)


def move(by: timedelta) -> datetime:
    """Move the business clock by a timedelta; return the new business time. Raises RuntimeError without DEBUG."""
    return _set(offset() + by)


def reset() -> datetime:
    """Set the business clock back to real time; return it. Raises RuntimeError without DEBUG."""
    return _set(timedelta(0))


def _set(value: timedelta) -> datetime:
    if not settings.DEBUG:
        raise RuntimeError("The clock can be moved only with DEBUG on.")
    _file().parent.mkdir(parents=True, exist_ok=True)
    fresh = _file().with_suffix(".new")
    fresh.write_text(str(value.total_seconds()))
    fresh.replace(_file())  # a process that reads now sees the old value or the new one, never half a file
    return now()


def _file() -> Path:
    return Path(settings.DATA_DIR) / "clock"
