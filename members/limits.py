"""Rate limits, counted in Redis for all processes together.

If Redis does not answer, each process counts for itself, with a quarter of the limit, so there is always a limit. The
subject that is counted is stored as a keyed hash for as long as its window lasts. Called by views and the API, which
decide what a refusal says. Also here: a line in which all processes wait, for the pace of sending mail
(members/mail/pace.py) and of reading from Stripe (payments/stripe_api/budget.py).
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Lock
from typing import TypeVar

import redis
from django.conf import settings
from django.http import HttpRequest

T = TypeVar("T")

PAUSE_AFTER_FAILURE = 5.0
MOST_COUNTED_HERE = 10_000
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

_line_ends: dict[str, float] = {}
_counted: dict[str, tuple[float, int]] = {}
_lock = Lock()
_clients: dict[str, redis.Redis] = {}
_silent_until = 0.0


def hit(name: str, who: str, limit: int, seconds: int) -> bool:
    """Count one hit of `name` by `who`; return whether it is within `limit` hits in a window of `seconds`.

    The window starts with the first hit. Counting is atomic: of many concurrent hits exactly `limit` are allowed.
    Without Redis, this process alone counts, up to a quarter of `limit` and at least 1. Raises nothing.
    """
    key = _key(name, who, seconds)
    count = _count_in_redis(key, seconds)
    if count is None:
        return _count_here(key, seconds) <= max(1, limit // 4)
    return count <= limit


def hit_from(request: HttpRequest, name: str, limit: int, seconds: int) -> bool:
    """Count one hit of `name` by the network of a request and those around it; return whether all are within limits.

    An IPv6 /56 may make four times as many as a /64, and a /48 sixteen times: who owns one has thousands of /64.
    """
    hits = [hit(name, network, limit * 4**step, seconds) for step, network in enumerate(networks_of(request))]
    return all(hits)


def place(line: str, per_second: float) -> float:
    """Take the next place in a line of `per_second` places a second; return in how many seconds it comes.

    Its end is a time in Redis, the same for all processes. Without Redis, this process keeps a line of its own, at a
    quarter of the pace. Raises nothing.
    """
    step = 1 / per_second

    def take(client: redis.Redis) -> float:
        return float(client.eval(_TAKE_PLACE, 1, f"pace:{line}", int(step * 1_000_000))) / 1_000_000

    waits = in_redis(take)
    return _place_here(line, step * SLOWER_ALONE) if waits is None else waits


def _place_here(line: str, step: float) -> float:
    """Take the next place in this process's own line; return in how many seconds it comes."""
    with _lock:
        now = time.monotonic()
        own_place = max(_line_ends.get(line, now), now)
        _line_ends[line] = own_place + step
        return own_place - now


def network_of(request: HttpRequest) -> str:
    """Return the network a request comes from: an IPv4 address, the /64 of an IPv6 address, or "unknown".

    X-Forwarded-For is trusted only for TRUSTED_PROXY_COUNT entries, counted from the right.
    """
    return networks_of(request)[0]


def networks_of(request: HttpRequest) -> tuple[str, ...]:
    """Return the network a request comes from and, for IPv6, the wider ones around it: /64, /56, /48.

    A customer of a provider has a /64 at least, often a /56, and a server's owner a /48: who counts tries counts each.
    """
    address = _address(request)
    if isinstance(address, IPv6Address):
        return tuple(str(_around(address, bits)) for bits in (64, 56, 48))
    return (str(address or "unknown"),)


def address_of(request: HttpRequest) -> str | None:
    """Return the first address of the network a request comes from, for tables of addresses; None if unknown."""
    network = network_of(request)
    return None if network == "unknown" else network.partition("/")[0]


def _address(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    text = request.META.get("REMOTE_ADDR", "")
    proxies = settings.TRUSTED_PROXY_COUNT
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if proxies and len(forwarded) >= proxies:
        text = forwarded[-proxies]
    try:
        address = ip_address(_without_port(text))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _without_port(text: str) -> str:
    """Return an address without the port and the brackets that some proxies add: 192.0.2.7:4711, [2001:db8::1]:80."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _around(address: IPv6Address, bits: int) -> IPv6Network:
    return IPv6Network((address, bits), strict=False)


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


def in_redis(call: Callable[[redis.Redis], T]) -> T | None:
    """Return what `call` returns for a Redis client, or None if Redis does not answer.

    After a failure Redis is not called for PAUSE_AFTER_FAILURE seconds, so that requests do not queue for timeouts.
    """
    global _silent_until
    if time.monotonic() < _silent_until:
        return None
    try:
        return call(_client())
    except redis.RedisError:
        _silent_until = time.monotonic() + PAUSE_AFTER_FAILURE
        return None


def _client() -> redis.Redis:
    """Return the one client that all threads of this process share.

    Created under a lock: a second client, created concurrently and dropped, would close connections that are in use.
    """
    url = settings.REDIS_URL
    with _lock:
        if url not in _clients:
            _clients[url] = redis.Redis.from_url(url, socket_timeout=0.3, socket_connect_timeout=0.3)
        return _clients[url]


def _count_here(key: str, seconds: int) -> int:
    """Count one hit in this process's memory; return the hits in the current window."""
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
    """Drop windows that are over, or the oldest half if none is, so that memory stays bounded. Needs `_lock`."""
    over = [key for key, (ends, _) in _counted.items() if ends <= now]
    for key in over or list(_counted)[: MOST_COUNTED_HERE // 2]:
        del _counted[key]


def reset() -> None:
    """Forget this process's own counts, and any failure of Redis. For tests."""
    global _silent_until
    with _lock:
        _counted.clear()
    _silent_until = 0.0
