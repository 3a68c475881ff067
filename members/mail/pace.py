"""The pace of sending: at most MAIL_PER_SECOND emails a second, for all senders of all processes together.

Each sender takes the next place in a line, whose end is a time in Redis. If Redis does not answer, each process keeps
a line of its own, at a quarter of the pace. Called by sweep.py and tasks.py before a message is claimed, so that after
the wait the most urgent message is claimed.
"""

from __future__ import annotations

import time
from threading import Lock

import redis
from django.conf import settings

from members import limits

SLOWER_ALONE = 4
# Moves the line's end by one place and returns in how many microseconds that place comes. If the line's end is more
# than a minute ahead, Redis' clock was set back: the line starts again now.
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
    """Sleep until the next email may be sent; return immediately if MAIL_PER_SECOND is 0.

    `line` names the shared queue in Redis. Without Redis, each process keeps a queue of its own, at a quarter of the
    pace.
    """
    if settings.MAIL_PER_SECOND > 0:
        time.sleep(place(line, settings.MAIL_PER_SECOND))


def place(line: str, per_second: float) -> float:
    """Take the next place in the line; return in how many seconds it comes."""
    step = 1 / per_second

    def take(client: redis.Redis) -> float:
        return float(client.eval(_TAKE_PLACE, 1, f"pace:{line}", int(step * 1_000_000))) / 1_000_000

    waits = limits.in_redis(take)
    return _place_here(step * SLOWER_ALONE) if waits is None else waits


def _place_here(step: float) -> float:
    """Take the next place in this process's own line; return in how many seconds it comes."""
    global _line_ends
    with _lock:
        now = time.monotonic()
        own_place = max(_line_ends, now)
        _line_ends = own_place + step
        return own_place - now
