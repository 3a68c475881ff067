"""The balance alone, every hour: what Stripe moved since we last agreed, against our settlements. A few reads.

So a difference of one unit is known within the hour, not only after the night. It finds what the whole comparison
would find in the balance, mends nothing, and leaves to the night what is older than three days, and debits, whose lines
are there for days before their money.
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
from payments.stripe_api import lists
from payments.stripe_api.reads import Reads

Run = Reconciliation.Kind
OVERLAP = timedelta(hours=1)
# Where nothing was ever compared, the first night looks back.
FIRST_LOOK_BACK = timedelta(days=1)


def run() -> Reconciliation | None:
    """Compare Stripe's balance since the last agreement less an hour. None while a whole comparison is under way.

    Returns the run, with Stripe's error on it when it stopped half-way. Fees that are due are asked for first: a late
    one is no difference.
    """
    with runs.alone(Run.OBJECTS) as is_ours:
        if not is_ours:
            return None
        until = clock.now() - comparison.LAG
        with runs.recorded(Run.BALANCE, _since(until), until) as row, seen.table():
            settlements.collect(settlements.unsettled().filter(occurred_at__gte=until - comparison.LOOK_BACK))
            looked_since = comparison.compare(KIND, row)
            differences.let_go(row, {BALANCE: looked_since})
        open_ones = Difference.objects.filter(state=Difference.State.OPEN, kind=BALANCE)
        row.found = open_ones.filter(seen_at__gte=row.started_at).count()
        row.save(update_fields=["found"])
        return row


def _since(until: datetime) -> datetime:
    agreed = Reconciliation.objects.filter(kind__in=(Run.OBJECTS, Run.BALANCE), error="", found=0)
    last = agreed.exclude(finished_at=None).order_by("-until").first()
    start = last.until - OVERLAP if last else until - FIRST_LOOK_BACK
    return max(start, until - comparison.LOOK_BACK)


def _look(page: Page) -> list[Mismatch]:
    return balance.compared(page, _ours)


def _ours(lines: Page) -> Page:
    """No other list says what our books lack, so what moved the balance says whose it is."""
    return [line for line, whose in origins.of_each(lines, Reads()) if whose == PayoutLine.Whose.OURS]


KIND = replace(balance.KIND, since=lambda since: since, pages=lists.moved, look=_look)
