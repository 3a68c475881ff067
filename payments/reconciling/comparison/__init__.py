"""Our books and Stripe's, object by object: every night, and when somebody asks. Finds differences, mends nothing.

Each kind of object is a module beside this one. Lists are read a page at a time and compared page by page; what looks
different is read once more at the end, because events may have been on their way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django.utils import timezone

from members import clock
from payments.errors import StripeMissing
from payments.models import Checkout, Difference, Reconciliation
from payments.reconciling import differences, runs
from payments.reconciling.comparison import balance, charges, payouts, seen, subscriptions, taken_back
from payments.reconciling.comparison.kinds import ObjectKind
from payments.reconciling.differences import EXTRA, UNSETTLED, Mismatch
from payments.stripe_api.budget import budget

OBJECTS = Reconciliation.Kind.OBJECTS
# What happened a moment ago is still on its way here.
LAG = timedelta(minutes=5)
# Every comparison looks again at the days before the last one: a fee or a state may have come late.
LOOK_BACK = timedelta(days=3)
FIRST_LOOK_BACK = timedelta(days=30)
NIGHT = time(3)
# So many differing objects of a kind are read a second time. With more of them it is no accident of timing.
SECOND_LOOKS = 500
KINDS = (subscriptions.KIND, charges.KIND, taken_back.REFUNDS, taken_back.DISPUTES, balance.KIND, payouts.KIND)


def run(since: datetime | None = None) -> Reconciliation | None:
    """Compare everything of Stripe's time from three days before the last whole comparison, or from an earlier `since`.

    Returns the run, with Stripe's error on it when it stopped half-way: what it found stands, nothing is called gone,
    and it is no agreement. None while another process is at it. Changes no money and no membership.
    """
    with runs.alone(OBJECTS) as is_ours:
        if not is_ours:
            return None
        until = clock.now() - LAG
        start = min(since or until, _since(until))
        with runs.recorded(OBJECTS, start, until) as row, seen.table():
            looked_since = {kind.name: compare(kind, row) for kind in KINDS}
            differences.let_go(row, looked_since)
        row.found = Difference.objects.filter(state=Difference.State.OPEN, seen_at__gte=row.started_at).count()
        row.save(update_fields=["found"])
        return row


def is_due() -> bool:
    """Whether the last night passed without a whole comparison. Real time."""
    now = timezone.localtime()
    night = now.replace(hour=NIGHT.hour, minute=NIGHT.minute, second=0, microsecond=0)
    if night > now:
        night -= timedelta(days=1)
    last = runs.last_complete(OBJECTS)
    return last is None or last.started_at < night


def compare(kind: ObjectKind, row: Reconciliation) -> datetime:
    """One kind, all its pages, then ours that no page named, then a second look at what differed. Returns since when it
    looked.
    """
    since, doubts = kind.since(row.since), _Doubts(kind)
    for page in kind.pages(since, row.until):
        seen.mark(kind.name, [theirs.id for theirs in page])
        row.looked_at += len(page)
        doubts.add(kind.look(page))
    doubts.add(kind.ours_alone(since, row.until))
    doubts.look_again()
    return since


class _Doubts:
    """What differed at first sight. Few are read again; many are written down as they are, so memory stays flat."""

    def __init__(self, kind: ObjectKind) -> None:
        self.kind = kind
        self.held: dict[str, list[Mismatch]] = defaultdict(list)

    def add(self, mismatches: Iterable[Mismatch]) -> None:
        certain = []
        for mismatch in mismatches:
            if mismatch.field == UNSETTLED or len(self.held) >= SECOND_LOOKS:
                certain.append(mismatch)
            else:
                self.held[mismatch.stripe_id].append(mismatch)
            if len(certain) >= SECOND_LOOKS:
                differences.write_down(certain)
                certain = []
        differences.write_down(certain)

    def look_again(self) -> None:
        for stripe_id, mismatches in self.held.items():
            budget.wait()
            try:
                confirmed = self.kind.look([self.kind.read(stripe_id)])
            except StripeMissing:
                confirmed = [mismatch for mismatch in mismatches if mismatch.field == EXTRA]
            differences.write_down(confirmed)


def _since(until: datetime) -> datetime:
    """Grows with the time that passed without a run, and reaches back to whatever is still open."""
    last = runs.last_complete(OBJECTS)
    if last:
        start = last.until - LOOK_BACK
    else:
        first = Checkout.objects.order_by("created_at").values_list("created_at", flat=True).first()
        start = first or until - FIRST_LOOK_BACK
    return min(moment for moment in (start, until - LOOK_BACK, differences.open_since()) if moment)
