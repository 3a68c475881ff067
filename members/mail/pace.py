"""How many letters leave in a second, all senders of all processes together: each takes the next place in one line.

The line is a moment in Redis. When Redis does not answer, each process keeps a line of its own, at a quarter of the
pace. Called by the sending, before it claims a letter: what is claimed after the wait is what is most urgent then.
"""

from __future__ import annotations

import time
from threading import Lock

import redis
from django.conf import settings

from members import limits

SLOWER_ALONE = 4
# Moves the line's end by one place and says in how many microseconds that place comes. A line that would reach further
# than a minute ahead is a clock that was set back: it begins anew.
_TAKE_PLACE = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local place = tonumber(redis.call('GET', KEYS[1]) or '0')
if place < now or place > now + 60000000 then place = now end
redis.call('SET', KEYS[1], string.format('%.0f', place + tonumber(ARGV[1])), 'PX', 120000)
return place - now
"""

_lock = Lock()
_line_ends = 0.0


def wait(line: str = "mail") -> None:
    """Wait for the next place in the line; not at all while MAIL_PER_SECOND is 0."""
    if settings.MAIL_PER_SECOND > 0:
        time.sleep(place(line, settings.MAIL_PER_SECOND))


def place(line: str, per_second: float) -> float:
    """Take the next place; in how many seconds it comes."""
    step = 1 / per_second

    def take(client: redis.Redis) -> float:
        return float(client.eval(_TAKE_PLACE, 1, f"pace:{line}", int(step * 1_000_000))) / 1_000_000

    waits = limits.in_redis(take)
    return _place_here(step * SLOWER_ALONE) if waits is None else waits


def _place_here(step: float) -> float:
    global _line_ends
    with _lock:
        now = time.monotonic()
        mine = max(_line_ends, now)
        _line_ends = mine + step
        return mine - now
