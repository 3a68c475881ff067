"""The measures, each printed with the limit beside it. Rounds are interleaved; figures are medians."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median

import django

django.setup()

from django.db import connection  # noqa: E402

from members.models import Consent, Message  # noqa: E402
from payments.inbox import queue  # noqa: E402
from payments.models import Checkout, LedgerEntry, Payment, StripeEvent  # noqa: E402
from payments.webhooks import drain  # noqa: E402
from tests.bench import books, events, letters, lives, load  # noqa: E402

ROUNDS, EVENTS, DRAINED, GETS = 5, 2000, 3000, 1000


def main() -> None:
    ours, bare = int(sys.argv[1]), int(sys.argv[2])
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; medians of {ROUNDS} interleaved rounds")
    if sys.argv[3:] == ["shield"]:
        shield()
        return
    large_books()  # first, while this process is small: a child's peak begins with its parent's
    many_letters()
    acknowledge(ours, bare)
    under_abuse(ours)
    page(ours, "/support/")
    drain_payload_only()
    drain_lives()
    lose_events()
    shield()


def many_letters() -> None:
    """A day that owes two hundred thousand letters; each measure in a fresh process."""
    empty()
    letters.make_rows()
    print()
    for what in ("owe", "again"):
        subprocess.run([sys.executable, "-m", "tests.bench.letters", what], check=True)
    letters.side_by_side()
    empty()


def shield() -> None:
    """Stolen cards tested on our forms, and a storm of readers; in a fresh process, which changes settings."""
    empty()
    subprocess.run([sys.executable, "-m", "tests.bench.shield"], check=True)


def large_books() -> None:
    """A hundred thousand payments, each measure in a fresh process."""
    empty()
    books.make_rows()
    print()
    for what in ("compare", "check"):
        subprocess.run([sys.executable, "-m", "tests.bench.books", what], check=True)
    empty()


def acknowledge(ours: int, bare: int) -> None:
    """Events stored and answered a second, beside the bare view on the same server."""
    rates: dict[int, list[load.Result]] = {ours: [], bare: []}
    for _ in range(ROUNDS):
        for port in (ours, bare):
            rates[port].append(load.run(port, _posts(EVENTS)))
    ratio = median(a.rate / b.rate for a, b in zip(rates[ours], rates[bare], strict=True))
    print(f"\nacknowledge   {_rate(rates[ours])}\n  bare view   {_rate(rates[bare])}")
    print(f"  ratio       {ratio:.2f} (goal 0.8)")


def under_abuse(ours: int) -> None:
    """Half of the events sent twice, a tenth with a bad signature: the answers and the rows must be exact."""
    empty()
    dice, requests, good, wrong = random.Random(7), [], set(), 0
    for _ in range(EVENTS):
        event = events.charge()
        body = events.body(event)
        if dice.random() < 0.1:
            requests.append(load.post("/webhooks/stripe/", body, events.signed(body)[:-2] + "zz"))
            wrong += 1
            continue
        good.add(event["id"])
        requests += [load.post("/webhooks/stripe/", body, events.signed(body))] * (2 if dice.random() < 0.5 else 1)
    dice.shuffle(requests)
    result = load.run(ours, iter(requests))
    exact = result.statuses == {200: len(requests) - wrong, 400: wrong} and StripeEvent.objects.count() == len(good)
    print(f"\n50 % twice, 10 % badly signed: {result.rate:.0f}/s, answers and rows {'exact' if exact else 'WRONG'}")


def page(ours: int, path: str) -> None:
    """A page's whole answer over one connection after another, warm."""
    load.run(ours, iter([load.get(path)] * 50), connections=1)
    result = load.run(ours, iter([load.get(path)] * GETS), connections=1)
    print(f"\n{path} p50 {result.percentile(0.5):.1f} ms, p95 {result.percentile(0.95):.1f} ms (goal p95 30)")


def drain_payload_only() -> None:
    """Gifts given once, told by charge.succeeded alone: ledger, supporter and thank-you, no read from Stripe."""
    rates = []
    for _ in range(3):
        empty()
        _owe_gifts(DRAINED)
        started = time.perf_counter()
        drain.until_nothing_is_due()
        rates.append(DRAINED / (time.perf_counter() - started))
        rows = (Payment.objects.count(), LedgerEntry.objects.count(), Message.objects.count())
        if rows != (DRAINED,) * 3:
            raise SystemExit(f"drained wrongly: {rows}")
    print(f"\ndrain, payload only: {median(rates):.0f} events/s in one process (goal 1,000)")


def drain_lives() -> None:
    """Monthly gifts that begin and renew, some given once; handled events a second, and what is read for them."""
    rounds = []
    for _ in range(3):
        empty()
        rounds.append(lives.live(monthly=36, once=4, renewals=3, reads_per_second=lives.READS_PER_SECOND))
    rate, reads = median(r.events / r.seconds for r in rounds), median(r.reads / r.events for r in rounds)
    sent = median(r.received / r.events for r in rounds)
    print(f"\ndrain, lives at 150 ms Stripe latency: {rate:.0f} handled events/s in one process (goal 78)")
    print(f"  each read {reads:.2f} times from Stripe (goal 0.3); Stripe sent {sent:.1f} for each that is handled")


def lose_events() -> None:
    """Three events in ten never come: how long it takes from the next look at Stripe's list until all is booked."""
    empty()
    found = lives.lose(monthly=100, share=0.3)
    print(f"\n30 % of events lost: {found.events} fetched and worked in {found.seconds:.1f} s, {found.reads} reads")


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bare_events (id text PRIMARY KEY, type text, payload bytea)")
        cursor.execute("SET session_replication_role = replica")
        names = connection.introspection.table_names(cursor)
        mine = {name for name in names if name.startswith(("payments_", "members_")) and "_level" not in name}
        emptied = ", ".join({*mine, "bare_events"})
        cursor.execute(f"TRUNCATE {emptied} CASCADE")
        cursor.execute("SET session_replication_role = DEFAULT")


def _posts(count: int) -> Iterator[bytes]:
    bodies = [events.body(events.charge()) for _ in range(count)]
    return iter([load.post("/webhooks/stripe/", body, events.signed(body)) for body in bodies])


def _owe_gifts(count: int) -> None:
    agreed = Consent.objects.create(purpose="gift", words="", words_version="", language="en", surface="bench")
    made = Checkout.objects.bulk_create(
        Checkout(
            reference=f"B{number}",
            form_key=f"bench {number}",
            frequency="once",
            amount=1000,
            currency="EUR",
            email=f"reader-{number}@example.org",
            language="en",
            consent=agreed,
        )
        for number in range(count)
    )
    for checkout in made:
        event = events.charge(str(checkout.public_id))
        queue.store(event, events.body(event), StripeEvent.State.PENDING)


def _rate(results: list[load.Result]) -> str:
    rate, p99 = median(r.rate for r in results), median(r.percentile(0.99) for r in results)
    return f"{rate:6.0f}/s, p50 {median(r.percentile(0.5) for r in results):.1f} ms, p99 {p99:.1f} ms"


if __name__ == "__main__":
    main()
