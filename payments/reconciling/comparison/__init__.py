"""The complete comparison of our database with Stripe, object by object: finds differences, changes nothing else.

Runs every night by a task, and by `manage.py reconcile`. Each kind of object is a module of this folder. Stripe's lists
are read and compared page by page; objects that differ are read once more at the end, because their events may have
been on the way. hourly.py compares the balance alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from functools import partial

from django.utils import timezone

from members import clock
from payments.errors import StripeMissing
from payments.models import Checkout, Difference, Reconciliation
from payments.reconciling import differences, runs
from payments.reconciling.comparison import balance, charges, payouts, seen, subscriptions, taken_back
from payments.reconciling.comparison.kinds import ObjectKind
from payments.reconciling.differences import EXTRA, UNSETTLED, Mismatch
from payments.stripe_api import budget, client

OBJECTS = Reconciliation.Kind.OBJECTS
# Events of the last minutes may still be on their way to us.
LAG = timedelta(minutes=5)
# Every comparison covers the days before the last one again: a fee or a state may have come late.
LOOK_BACK = timedelta(days=3)
FIRST_LOOK_BACK = timedelta(days=30)
NIGHT = time(3)
# At most this many differing objects of a kind are read a second time: more of them are no accident of timing.
SECOND_READS = 500
KINDS = (subscriptions.KIND, charges.KIND, taken_back.REFUNDS, taken_back.DISPUTES, balance.KIND, payouts.KIND)


def run(since: datetime | None = None) -> Reconciliation | None:
    """Compare all objects since three days before the last complete comparison, or since `since` if that is earlier.

    Returns the run. If Stripe stops answering, or our key is of another mode or account, the error is stored on the
    run: the differences found so far stay, but none is closed and the run counts as no agreement. Returns None while
    another process compares. Changes no money and no membership. Never call it inside a transaction.
    """
    with runs.alone(OBJECTS) as is_ours:
        if not is_ours:
            return None
        until = clock.now() - LAG
        start = min(since or until, _since(until))
        with runs.recorded(OBJECTS, start, until) as row, seen.table():
            client.check_key()
            looked_since = {kind.name: compare(kind, row) for kind in KINDS}
            differences.close_gone(row, looked_since)
        row.found = Difference.objects.filter(state=Difference.State.OPEN, seen_at__gte=row.started_at).count()
        row.save(update_fields=["found"])
        return row


def is_due() -> bool:
    """Return whether no complete comparison has started since the last 3 a.m. of local real time."""
    now = timezone.localtime()
    night = now.replace(hour=NIGHT.hour, minute=NIGHT.minute, second=0, microsecond=0)
    if night > now:
        night -= timedelta(days=1)
    last = runs.last_complete(OBJECTS)
    return last is None or last.started_at < night


def compare(kind: ObjectKind, row: Reconciliation) -> datetime:
    """Compare one kind of object with our rows and record what differs; return the time from which it was compared.

    First Stripe's pages, then our rows that no page named, then a second read of the objects that differ. Adds the
    number of objects to `row.looked_at`. Needs an open `seen.table()`.
    """
    since = kind.since(row.since)
    unconfirmed = _Unconfirmed(kind)
    for page in kind.pages(since, row.until):
        seen.mark(kind.name, [stripe_object.id for stripe_object in page])
        row.looked_at += len(page)
        unconfirmed.add(kind.compare_page(page))
    unconfirmed.add(kind.unlisted(since, row.until))
    unconfirmed.confirm()
    return since


class _Unconfirmed:
    """Mismatches that a second read has not confirmed yet.

    The first SECOND_READS objects are kept for it; mismatches of further ones are recorded unconfirmed, so that memory
    stays flat.
    """

    def __init__(self, kind: ObjectKind) -> None:
        self.kind = kind
        self.by_object: dict[str, list[Mismatch]] = defaultdict(list)

    def add(self, mismatches: Iterable[Mismatch]) -> None:
        """Keep mismatches for the second read; record those that need none, or for which there is no room."""
        certain = []
        for mismatch in mismatches:
            if mismatch.field == UNSETTLED or len(self.by_object) >= SECOND_READS:
                certain.append(mismatch)
            else:
                self.by_object[mismatch.stripe_id].append(mismatch)
            if len(certain) >= SECOND_READS:
                differences.record(certain)
                certain = []
        differences.record(certain)

    def confirm(self) -> None:
        """Read each kept object again and record what still differs."""
        for stripe_id, mismatches in self.by_object.items():
            try:
                confirmed = self.kind.compare_page([budget.read(partial(self.kind.read, stripe_id))])
            except StripeMissing:
                confirmed = [mismatch for mismatch in mismatches if mismatch.field == EXTRA]
            differences.record(confirmed)


def _since(until: datetime) -> datetime:
    """Return the start of a comparison until this time: the earliest of these.

    LOOK_BACK before `until`. LOOK_BACK before the end of the last complete run; without one the first checkout; without
    a checkout FIRST_LOOK_BACK before `until`. The oldest difference to check again: open, or accepted since.
    """
    last = runs.last_complete(OBJECTS)
    if last:
        start = last.until - LOOK_BACK
    else:
        first = Checkout.objects.order_by("created_at").values_list("created_at", flat=True).first()
        start = first or until - FIRST_LOOK_BACK
    return min(moment for moment in (start, until - LOOK_BACK, differences.open_since()) if moment)
