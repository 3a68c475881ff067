"""Rate limits hold for all processes together, for concurrent hits, and while Redis is down."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import redis
from django.test import RequestFactory

from members import limits


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    limits.reset()
    yield
    limits.reset()


@pytest.fixture
def who() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def no_redis(settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"


def test_as_many_as_allowed_and_no_more(who: str) -> None:
    assert [limits.hit("test", who, 3, 60) for _ in range(5)] == [True, True, True, False, False]


def test_each_is_counted_alone(who: str) -> None:
    assert limits.hit("test", who, 1, 60)
    assert limits.hit("test", who + "x", 1, 60)
    assert limits.hit("other", who, 1, 60)
    assert not limits.hit("test", who, 1, 60)


def test_many_at_once_get_exactly_the_limit(who: str) -> None:
    with ThreadPoolExecutor(16) as pool:
        allowed = list(pool.map(lambda _: limits.hit("test", who, 20, 60), range(200)))
    assert allowed.count(True) == 20


def test_the_window_ends_and_names_nobody(who: str, settings) -> None:
    limits.hit("test", who, 3, 60)
    limits.hit("test", who, 3, 60)
    client = redis.Redis.from_url(settings.REDIS_URL)
    keys = [key for key in client.scan_iter("limit:test:60:*") if client.get(key) == b"2"]
    assert keys
    assert all(0 < client.ttl(key) <= 60 for key in keys)
    assert who.encode() not in b"".join(keys)


def test_without_redis_the_limit_is_stricter_never_gone(who: str, no_redis: None) -> None:
    assert [limits.hit("test", who, 8, 60) for _ in range(4)] == [True, True, False, False]
    assert [limits.hit("one", who, 1, 60) for _ in range(2)] == [True, False]


def test_redis_going_away_opens_nothing(who: str, settings) -> None:
    assert [limits.hit("test", who, 4, 60) for _ in range(5)].count(True) == 4
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert [limits.hit("test", who, 4, 60) for _ in range(5)].count(True) == 1


def test_without_redis_many_at_once_do_not_exceed_either(who: str, no_redis: None) -> None:
    with ThreadPoolExecutor(16) as pool:
        allowed = list(pool.map(lambda _: limits.hit("test", who, 20, 60), range(100)))
    assert allowed.count(True) == 5


def test_memory_is_bounded_whoever_asks(no_redis: None) -> None:
    for number in range(limits.MOST_COUNTED_HERE + 50):
        limits.hit("test", str(number), 4, 60)
    assert len(limits._counted) <= limits.MOST_COUNTED_HERE


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "network"),
    [
        (0, "192.0.2.7", "", "192.0.2.7"),
        (0, "192.0.2.7", "203.0.113.9", "192.0.2.7"),
        (1, "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        (2, "10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "192.0.2.7", "203.0.113.9", "192.0.2.7"),
        (1, "192.0.2.7", "", "192.0.2.7"),
        (1, "10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        (1, "10.0.0.1", "[2001:db8:1:2::9]:4711", "2001:db8:1:2::/64"),
        (1, "10.0.0.1", "::1, 2001:db8:1:2::9", "2001:db8:1:2::/64"),
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        (0, "2001:db8:1:2:ffff::1", "", "2001:db8:1:2::/64"),
        (0, "::ffff:192.0.2.7", "", "192.0.2.7"),
        (1, "10.0.0.1", "not an address", "unknown"),
        (0, "", "", "unknown"),
    ],
)
def test_a_network_is_what_the_trusted_proxies_say(
    settings, proxies: int, remote: str, forwarded: str, network: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    extra = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    assert limits.network_of(RequestFactory().get("/", REMOTE_ADDR=remote, **extra)) == network


def test_wider_networks_are_counted_too() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="2001:db8:1:2:3:4:5:6")
    assert limits.networks_of(request) == ("2001:db8:1:2::/64", "2001:db8:1::/56", "2001:db8:1::/48")
    assert limits.address_of(request) == "2001:db8:1:2::"
    assert limits.networks_of(RequestFactory().get("/", REMOTE_ADDR="192.0.2.7")) == ("192.0.2.7",)
    assert limits.address_of(RequestFactory().get("/", REMOTE_ADDR="nonsense")) is None


def test_who_owns_many_networks_is_counted_as_one(who: str) -> None:
    """A /48 has 65,536 networks of a /64, and each /64 of it its own hits."""
    start = int(who[-4:], 16)
    tries = [
        limits.hit_from(RequestFactory().get("/", REMOTE_ADDR=f"2001:db8:{start:x}:{n:x}::1"), who, 2, 60)
        for n in range(0, 256 * 40, 256)
    ]
    assert tries == [True] * 32 + [False] * 8, "sixteen times two from one /48"
    nearby = [
        limits.hit_from(RequestFactory().get("/", REMOTE_ADDR=f"2001:db9:{start:x}:{n:x}::1"), who, 2, 60)
        for n in range(10)
    ]
    assert nearby == [True] * 8 + [False] * 2, "four times two from one /56"
    assert limits.hit_from(RequestFactory().get("/", REMOTE_ADDR="192.0.2.7"), who, 1, 60)
    assert not limits.hit_from(RequestFactory().get("/", REMOTE_ADDR="192.0.2.7"), who, 1, 60)


def test_the_first_of_a_process_may_come_all_at_once(who: str) -> None:
    """Concurrent first hits share one connection pool: a second pool, when dropped, would close used connections."""
    for attempt in range(20):
        limits._clients.clear()
        start = Barrier(12)

        def first(_: int, name: str = f"{who}{attempt}", start: Barrier = start) -> bool:
            start.wait()
            return limits.hit("test", name, 6, 60)

        with ThreadPoolExecutor(12) as pool:
            assert sum(pool.map(first, range(12))) == 6
