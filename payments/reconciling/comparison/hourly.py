"""The hourly comparison of Stripe's balance with our settlements, since they last agreed. Takes a few reads.

So a difference of one cent is found within the hour, not only after the night. Changes nothing else. Lines older than
three days, and bank debits, whose lines are there days before their money, are left to the nightly comparison.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from members import clock
from payments.books import origins, settlements
from payments.models import Difference, PayoutLine, Reconciliation
from payments.reconciling import comparison, differences, runs
from payments.reconciling.comparison import balance, seen
from payments.reconciling.comparison.kinds import Page
from payments.reconciling.differences import BALANCE, Mismatch
from payments.stripe_api import client, lists
from payments.stripe_api.reads import Reads

Run = Reconciliation.Kind
OVERLAP = timedelta(hours=1)
# How far back the first run compares; the first nightly comparison covers more.
FIRST_LOOK_BACK = timedelta(days=1)


def run() -> Reconciliation | None:
    """Compare Stripe's balance since an hour before the last agreement; return the run.

    Missing settlements are looked up first, so that a late fee is no difference. If Stripe stops answering, its error
    is stored on the run. Returns None while a complete comparison is under way. Never call it inside a transaction.
    """
    with runs.alone(Run.OBJECTS) as is_ours:
        if not is_ours:
            return None
        until = clock.now() - comparison.LAG
        with runs.recorded(Run.BALANCE, _since(until), until) as row, seen.table():
            client.check_key()
            settlements.collect(settlements.unsettled().filter(occurred_at__gte=until - comparison.LOOK_BACK))
            looked_since = comparison.compare(KIND, row)
            differences.close_gone(row, {BALANCE: looked_since})
        open_ones = Difference.objects.filter(state=Difference.State.OPEN, kind=BALANCE)
        row.found = open_ones.filter(seen_at__gte=row.started_at).count()
        row.save(update_fields=["found"])
        return row


def _since(until: datetime) -> datetime:
    """Return where to start: an hour before the last run without a difference, at most LOOK_BACK ago."""
    agreed = Reconciliation.objects.filter(kind__in=(Run.OBJECTS, Run.BALANCE), error="", found=0)
    last = agreed.exclude(finished_at=None).order_by("-until").first()
    start = last.until - OVERLAP if last else until - FIRST_LOOK_BACK
    return max(start, until - comparison.LOOK_BACK)


def _compare_page(page: Page) -> list[Mismatch]:
    return balance.compare_lines(page, _ours)


def _ours(lines: Page) -> Page:
    """Return the lines that come from gifts of this installation, according to the object that moved the balance.

    The nightly comparison knows from Stripe's other lists which objects are missing here; this one reads no others.
    """
    return [line for line, whose in origins.of_each(lines, Reads()) if whose == PayoutLine.Whose.OURS]


KIND = replace(balance.KIND, since=lambda since: since, pages=lists.moved, compare_page=_compare_page)
