"""How often somebody may do something: counted in Redis for all processes together, and never without a limit.

When Redis does not answer, each process counts for itself, with a quarter of the limit. Who is counted is kept as a
keyed hash, for as long as the window lasts. Called by doors; what a refusal says is theirs.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import TypeVar

import redis
from django.conf import settings
from django.http import HttpRequest

T = TypeVar("T")

PAUSE_AFTER_FAILURE = 5.0
MOST_COUNTED_HERE = 10_000

_counted: dict[str, tuple[float, int]] = {}
_lock = Lock()
_clients: dict[str, redis.Redis] = {}
_silent_until = 0.0


def hit(name: str, who: str, limit: int, seconds: int) -> bool:
    """Count one more of `name` by `who`; True while there were no more than `limit` in the window of `seconds`.

    The window starts with the first hit. Counting is atomic: of many at once, exactly `limit` are allowed.
    """
    key = _key(name, who, seconds)
    count = _count_in_redis(key, seconds)
    if count is None:
        return _count_here(key, seconds) <= max(1, limit // 4)
    return count <= limit


def network_of(request: HttpRequest) -> str:
    """The network a request comes from: an IPv4 address, or the /64 of an IPv6 address.

    X-Forwarded-For is believed only as far as TRUSTED_PROXY_COUNT says, counted from the right.
    """
    address = request.META.get("REMOTE_ADDR", "")
    proxies = settings.TRUSTED_PROXY_COUNT
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if proxies and len(forwarded) >= proxies:
        address = forwarded[-proxies]
    return _network(address)


def _network(address: str) -> str:
    try:
        parsed = ip_address(address.strip("[]"))
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64)) + "/64"
    return str(parsed)


def _key(name: str, who: str, seconds: int) -> str:
    digest = hmac.new(settings.SECRET_KEY.encode(), f"{name}\x1f{who}".encode(), hashlib.sha256).hexdigest()
    return f"limit:{name}:{seconds}:{digest[:32]}"


def _count_in_redis(key: str, seconds: int) -> int | None:
    def count(client: redis.Redis) -> int:
        pipe = client.pipeline(transaction=True)
        pipe.set(key, 0, ex=seconds, nx=True)
        pipe.incr(key)
        return int(pipe.execute()[1])

    return in_redis(count)


def in_redis(ask: Callable[[redis.Redis], T]) -> T | None:
    """What Redis answers; None when it does not. Then it is left alone for a moment, so that nobody waits in line."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return None
    try:
        return ask(_client())
    except redis.RedisError:
        _silent_until = time.monotonic() + PAUSE_AFTER_FAILURE
        return None


def _client() -> redis.Redis:
    """One for all threads. A second one, made by a thread that came at the same moment, would be dropped and close the
    connections that are in use.
    """
    url = settings.REDIS_URL
    with _lock:
        if url not in _clients:
            _clients[url] = redis.Redis.from_url(url, socket_timeout=0.3, socket_connect_timeout=0.3)
        return _clients[url]


def _count_here(key: str, seconds: int) -> int:
    now = time.monotonic()
    with _lock:
        if len(_counted) >= MOST_COUNTED_HERE:
            _forget(now)
        ends, count = _counted.get(key, (0.0, 0))
        if ends <= now:
            ends, count = now + seconds, 0
        _counted[key] = (ends, count + 1)
        return count + 1


def _forget(now: float) -> None:
    """Drop the windows that are over; if none is, the oldest half. Memory is bounded whoever asks."""
    over = [key for key, (ends, _) in _counted.items() if ends <= now]
    for key in over or list(_counted)[: MOST_COUNTED_HERE // 2]:
        del _counted[key]


def start_anew() -> None:
    """Forget what this process counted and that Redis was away. For a process that was forked, and for tests."""
    global _silent_until
    with _lock:
        _counted.clear()
    _silent_until = 0.0
