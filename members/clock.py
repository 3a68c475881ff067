"""The business date: what schedules, grace, reminders and memberships call "now" and "today".

Signatures, leases, tokens and locks do not read this module: they need real time. In DEBUG the clock can be moved
forward (`manage.py clock`), for every process with the same DATA_DIR; elsewhere it is the real time.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone


def now() -> datetime:
    """The business moment, aware. Real time plus what the clock was moved by in DEBUG."""
    return timezone.now() + offset()


def today() -> date:
    """The business date in the newsroom's time zone."""
    return day_of(now())


def day_of(moment: datetime) -> date:
    """The calendar date of a moment as the newsroom sees it."""
    return timezone.localtime(moment).date()


def offset() -> timedelta:
    if not settings.DEBUG:
        return timedelta(0)
    try:
        return timedelta(seconds=float(_file().read_text()))
    except (FileNotFoundError, ValueError):
        return timedelta(0)


def move(by: timedelta) -> datetime:
    """Move the business clock in DEBUG; returns the new moment. Refuses elsewhere."""
    return _set(offset() + by)


def reset() -> datetime:
    """Back to real time, in DEBUG."""
    return _set(timedelta(0))


def _set(value: timedelta) -> datetime:
    if not settings.DEBUG:
        raise RuntimeError("The clock can be moved only with DEBUG on.")
    _file().parent.mkdir(parents=True, exist_ok=True)
    fresh = _file().with_suffix(".new")
    fresh.write_text(str(value.total_seconds()))
    fresh.replace(_file())  # readers in other processes see the old value or the new one, never half of it
    return now()


def _file() -> Path:
    return Path(settings.DATA_DIR) / "clock"
