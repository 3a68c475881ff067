"""Simulated time, which is real time plus an offset, and the register of duties: the functions that tasks run.

Months are counted from the anchor, never from the last date, so that 31 January is followed by 28 February and then
by 31 March. The modules in life/ register their duties with `duty`; world.py stores the tasks and runs them.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

DAY = 86_400

Duty = Callable[[Any, str], None]
DUTIES: dict[str, Duty] = {}


def duty(name: str) -> Callable[[Duty], Duty]:
    """Return a decorator that registers the function to run when a task of this name falls due."""

    def register(function: Duty) -> Duty:
        DUTIES[name] = function
        return function

    return register


class Clock:
    """Simulated time in seconds. It stands still at `instant` while a duty runs."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset
        self.instant: float | None = None

    def precise(self) -> float:
        return self.instant if self.instant is not None else time.time() + self.offset

    def now(self) -> int:
        return int(self.precise())

    def move_to(self, instant: float) -> None:
        """Move to this time, never backwards: an object that is created later must not look older."""
        self.offset = max(self.offset, instant - time.time())


def as_datetime(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def as_timestamp(moment: datetime | float | int | str) -> float:
    """Return a moment as a timestamp. It may be one, a datetime, or an ISO text; UTC unless it names a zone."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(moment)


def add_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def period_start(anchor: int, interval: str, count: int, number: int) -> int:
    """Return the timestamp at which the period with this number begins; period 0 begins at the anchor."""
    moment, steps = as_datetime(anchor), count * number
    if interval in ("month", "year"):
        return int(add_months(moment, steps * (12 if interval == "year" else 1)).timestamp())
    return int((moment + timedelta(days=steps * (7 if interval == "week" else 1))).timestamp())
