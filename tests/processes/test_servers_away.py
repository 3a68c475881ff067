"""PostgreSQL or Redis goes away and comes back: Stripe keeps its events, we keep our promises, nobody is restarted."""

from __future__ import annotations

import signal
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
import requests

from tests.processes.books import assert_booked_once
from tests.processes.reader import Reader, crowd
from tests.processes.theatre import EVERYBODY, WORKERS, Theatre

pytestmark = [pytest.mark.processes, pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")]

WITHOUT_DATABASE = {"/healthz": {200}, "/readyz": {503}, "/support/": {200, 503}, "/webhooks/stripe/": {405}}


def held_events(theatre: Theatre) -> list[str]:
    return [event["id"] for event in theatre.ask("outbox")["events"]]


def pids(theatre: Theatre, but: Collection[str] = ()) -> dict[str, int]:
    watched = [name for name in EVERYBODY if name not in but]
    return {name: theatre.programs.pid(name) for name in watched if theatre.programs.is_running(name)}


def readiness(theatre: Theatre) -> tuple[int, str]:
    answer = requests.get(f"{theatre.site}/readyz", timeout=5)
    return answer.status_code, answer.json()["status"]


def test_redis_is_away(theatre: Theatre) -> None:
    before, letters = theatre.books(), len(theatre.letters())
    theatre.restart("web", CHECKOUT_LIMIT_PER_NETWORK="40")
    theatre.control("hold")
    running = pids(theatre, but=WORKERS)
    theatre.valkey.stop()
    assert readiness(theatre) == (200, "degraded")
    assert theatre.status("/support/", seconds=5) == 200

    gifts = crowd(theatre, 8)
    assert set(theatre.control("deliver", events=held_events(theatre))["result"]) == {200}
    query = "SELECT count(*) FROM payments_payment WHERE status = 'succeeded'"
    wanted = sum(row["payments"] for row in before["currencies"].values()) + len(gifts)
    theatre.until("the gifts are booked", lambda: theatre.sql(query)[0][0] == wanted, 60)
    reader = Reader(theatre)
    assert reader.come_back(gifts[0]) == "paid"
    assert [reader.submit(reader.details()).status_code for _ in range(3)] == [303, 303, 422]  # a quarter of 40
    assert len(theatre.letters()) == letters

    theatre.valkey.start()
    theatre.until("letters go out by themselves", lambda: len(theatre.letters()) == letters + len(gifts), 90)
    theatre.control("release")
    assert_booked_once(theatre, before, letters, len(gifts))
    assert pids(theatre, but=WORKERS) == running, theatre.tell()
    assert readiness(theatre) == (200, "ready")
    theatre.restart("web")


def test_redis_forgets_everything(theatre: Theatre) -> None:
    before, letters = theatre.books(), len(theatre.letters())
    running = pids(theatre)
    with redis.Redis.from_url(theatre.valkey.url) as client, ThreadPoolExecutor(1) as pool:
        burst = pool.submit(crowd, theatre, 12)
        while not burst.done():
            client.flushall()
            time.sleep(0.2)
        burst.result()
        client.flushall()
    crowd(theatre, 2)
    assert_booked_once(theatre, before, letters, 14)
    assert pids(theatre) == running, theatre.tell()


def test_postgres_is_away(theatre: Theatre) -> None:
    before, letters, known = theatre.books(), len(theatre.letters()), theatre.events_at_stripe()
    theatre.control("hold")
    crowd(theatre, 10)
    running, waiting = pids(theatre), held_events(theatre)
    assert len(waiting) >= 50
    theatre.postgres.stop(signal.SIGQUIT)

    for event in waiting[:50]:
        began = time.monotonic()
        assert theatre.control("deliver", events=[event])["result"] == [503]
        assert time.monotonic() - began < 5
    for path, wanted in {"/healthz": 200, "/readyz": 503, "/support/": 200, "/webhooks/stripe/": 405}.items():
        assert theatre.status(path, seconds=5) == wanted, path

    theatre.postgres.start()
    theatre.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    theatre.sql("SELECT pg_reload_conf()")
    theatre.until("it only reads", lambda: readiness(theatre) == (503, "not ready"))
    assert set(theatre.control("deliver", events=waiting[:5])["result"]) == {503}
    theatre.sql("ALTER SYSTEM RESET default_transaction_read_only")
    theatre.sql("SELECT pg_reload_conf()")
    theatre.control("release")
    assert_booked_once(theatre, before, letters, 10)
    assert theatre.events_at_stripe() - known <= theatre.events_stored()
    assert pids(theatre) == running, theatre.tell()
    assert readiness(theatre) == (200, "ready")


def test_postgres_starts_anew_at_once_in_the_middle_of_a_burst(theatre: Theatre) -> None:
    before, letters, known = theatre.books(), len(theatre.letters()), theatre.events_at_stripe()
    theatre.control("hold")
    crowd(theatre, 12)
    running = pids(theatre)
    theatre.control("release")
    for _ in range(2):
        stored = len(theatre.events_stored())
        theatre.until("some have arrived", lambda stored=stored: len(theatre.events_stored()) > stored + 5)
        theatre.postgres.stop(signal.SIGQUIT)
        theatre.postgres.start()
    theatre.until("Stripe has delivered everything", lambda: theatre.ask("clock")["pending"] == 0)
    theatre.leases_run_out()
    theatre.until("no sender is at work", lambda: no_sender_is_at_work(theatre))
    assert_booked_once(theatre, before, letters, 12, may_be_unknown=True)
    assert theatre.events_at_stripe() - known <= theatre.events_stored()
    assert pids(theatre) == running, theatre.tell()


def no_sender_is_at_work(theatre: Theatre) -> bool:
    """A sender that lost the database left a lease behind; which is over when it stays silent."""
    theatre.leases_of_senders_run_out(silent_for=5)
    return not theatre.waiting_events() and not {"pending", "sending"} & theatre.messages().keys()
