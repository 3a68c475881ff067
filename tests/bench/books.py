"""Large books: the whole comparison with Stripe and `check_ledger` at a hundred thousand payments, time and memory.

`make_rows` fills the database; run as a program it measures, in a process of its own so that its memory is its own.
Stripe's side is generated a page at a time, through the same functions that compare what is listed there.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.db.models import Model  # noqa: E402

from members.models import Supporter  # noqa: E402
from payments.models import Difference, LedgerEntry, Payment, Reconciliation, Subscription  # noqa: E402
from payments.reconciling import comparison, invariants  # noqa: E402
from payments.reconciling.comparison import balance, charges, seen, subscriptions  # noqa: E402
from payments.stripe_api import account_values, objects  # noqa: E402

PAYMENTS, EACH, PAGE, FEE = 100_000, 20, 100, 44
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = datetime(2028, 1, 1, tzinfo=UTC)


def make_rows() -> None:
    """Five thousand patrons with twenty payments each, every payment with its line and its settlement."""
    person = Supporter.objects.create(id=0, email="patron-0@example.org", language="en")
    multiply(person, PAYMENTS // EACH, email="'patron-' || n || '@example.org'")
    agreed = Subscription.objects.create(
        id=0,
        supporter=person,
        stripe_subscription_id="sub_0",
        stripe_customer_id="cus_0",
        status="active",
        frequency="month",
        amount=1000,
        currency="EUR",
        started_at=BEGAN,
        current_period_end=ENDS,
        renews_on=date(2028, 1, 1),
    )
    names = {"stripe_subscription_id": "'sub_' || n", "stripe_customer_id": "'cus_' || n"}
    multiply(agreed, PAYMENTS // EACH, supporter_id="n", **names)
    payment = Payment.objects.create(
        id=0,
        supporter=person,
        subscription=agreed,
        frequency="month",
        status="succeeded",
        amount=1000,
        currency="EUR",
        stripe_payment_intent_id="pi_0",
        stripe_invoice_id="in_0",
        stripe_charge_id="ch_0",
        created_at=BEGAN,
        paid_at=BEGAN,
    )
    names = {f"stripe_{name}_id": f"'{short}_' || n" for name, short in NAMES.items()}
    patron, at = f"n / {EACH}", "t.created_at + n * interval '1 minute'"
    multiply(payment, PAYMENTS, supporter_id=patron, subscription_id=patron, created_at=at, paid_at=at, **names)
    _make_lines(payment)


NAMES = {"payment_intent": "pi", "invoice": "in", "charge": "ch"}


def _make_lines(payment: Payment) -> None:
    common = {"payment": payment, "currency": "EUR", "occurred_at": BEGAN}
    line = LedgerEntry.objects.create(id=0, kind="charge", source="charge:ch_0", amount=1000, **common)
    at = "t.occurred_at + n * interval '1 minute'"
    multiply(line, PAYMENTS, source="'charge:ch_' || n", payment_id="n", occurred_at=at)
    settlement = LedgerEntry.objects.create(
        id=PAYMENTS,
        kind="settlement",
        source="balance_transaction:txn_0",
        amount=0,
        settles=line,
        settled_amount=1000,
        settled_currency="EUR",
        fee=FEE,
        **common,
    )
    source = "'balance_transaction:txn_' || n"
    multiply(settlement, PAYMENTS, source=source, payment_id="n", settles_id="n", occurred_at=at)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def multiply(row: Model, count: int, **columns: str) -> None:
    """Rows 1 to `count` like this one, the columns named differing by number `n`: SQL, because rows are many."""
    table, fields = row._meta.db_table, [field.column for field in row._meta.concrete_fields]
    columns = {"id": "t.id + n", "public_id": "gen_random_uuid()", **columns}
    values = ", ".join(columns.get(name, f't."{name}"') for name in fields)
    names = ", ".join(f'"{name}"' for name in fields)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # these references need no looking up
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {values} '  # noqa: S608 - our own names only
            f'FROM "{table}" t, generate_series(1, {count - 1}) n WHERE t.id = {row.pk}'
        )
        cursor.execute("SET session_replication_role = DEFAULT")


def _at(number: int) -> datetime:
    return BEGAN + timedelta(minutes=number)


def _pages(count: int, made: Any) -> Any:
    """Newest first, as Stripe lists."""

    def listed(since: datetime, until: datetime) -> Iterator[list[Any]]:
        for start in range(count, 0, -PAGE):
            yield [made(number) for number in range(start - 1, start - 1 - PAGE, -1)]

    return listed


def _their_subscription(number: int) -> objects.Subscription:
    return objects.Subscription(
        id=f"sub_{number}",
        customer=f"cus_{number}",
        checkout="",
        status="active",
        amount=1000,
        currency="EUR",
        interval="month",
        interval_count=1,
        unusual=(),
        has_balance=False,
        item="",
        product="",
        method="",
        method_id="",
        lacks_method=False,
        method_expires_on=None,
        started_at=BEGAN,
        current_period_end=ENDS,
        cancel_at_period_end=False,
        cancel_at=None,
        canceled_at=None,
        ended_at=None,
        ended_reason="",
        collection_paused=False,
        resumes_at=None,
    )


def _their_charge(number: int) -> objects.Charge:
    return objects.Charge(
        id=f"ch_{number}",
        payment_intent=f"pi_{number}",
        customer=f"cus_{number // EACH}",
        checkout="",
        status="succeeded",
        amount=1000,
        currency="EUR",
        method="",
        created_at=_at(number),
    )


def _their_line(number: int) -> account_values.BalanceTransaction:
    return account_values.BalanceTransaction(
        id=f"txn_{number}",
        type="charge",
        source=f"ch_{number}",
        amount=1000,
        currency="EUR",
        fee=FEE,
        exchange_rate=None,
        created_at=_at(number),
    )


def compare() -> str:
    """Every subscription, charge and balance line; nothing may differ."""
    row = Reconciliation.objects.create(kind="objects", since=BEGAN, until=_at(PAYMENTS))
    generated = {
        subscriptions.KIND: _pages(PAYMENTS // EACH, _their_subscription),
        charges.KIND: _pages(PAYMENTS, _their_charge),
        balance.KIND: _pages(PAYMENTS, _their_line),
    }
    with seen.table():
        for kind, pages in generated.items():
            comparison.compare(replace(kind, pages=pages), row)
    if row.looked_at != 2 * PAYMENTS + PAYMENTS // EACH or Difference.objects.exists():
        raise SystemExit("compared wrongly")
    return f"{row.looked_at:,} objects compared with {PAYMENTS:,} payments"


def check() -> str:
    report = invariants.report()
    if report["broken"] or report["currencies"]["EUR"]["payments"] != PAYMENTS:
        raise SystemExit(f"checked wrongly: {report['broken']}")
    return f"check_ledger at {PAYMENTS:,} payments"


def main(what: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    done = {"compare": compare, "check": check}[what]()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{done}: {seconds:.1f} s, peak {peak // 1024} MB ({(peak - before) // 1024} MB of it while at work)")


if __name__ == "__main__":
    main(sys.argv[1])
