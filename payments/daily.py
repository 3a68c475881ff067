"""The daily jobs, each safe to run many times a day; and, in development, moving the business date day by day.

Called hourly by the task `run_daily_jobs`, by the command `clock`, by the simulator's clock and by the demo data. The
nightly comparison with Stripe is not here: tasks.py, `compare_with_stripe`.
"""

from __future__ import annotations

import logging
import time
from bisect import bisect_left
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from django.conf import settings

from members import clock
from members.staff import searches
from payments.alerts import looks, watch
from payments.books import payouts, progress
from payments.guard import held
from payments.inbox import queue
from payments.letters import calendar as calendar_letters
from payments.letters import changes as change_letters
from payments.letters import due as due_letters
from payments.letters import failed as failed_letters
from payments.letters import methods as method_letters
from payments.letters import reminders
from payments.letters import staff as staff_letters
from payments.letters.due import DueLetter
from payments.reconciling import invariants, missed_renewals
from payments.recurring import previews

log = logging.getLogger("hromada.daily")

# Emails that are due on a date; each kind finds its recipients by one query.
DUE_LETTERS: tuple[DueLetter[Any], ...] = (
    reminders.YEARLY,
    change_letters.RESUMING,
    failed_letters.FAILING,
    failed_letters.UNCONFIRMED,
    method_letters.CARD_EXPIRING,
    calendar_letters.YEARLY_REMINDER,
    calendar_letters.FULL_YEAR,
    calendar_letters.NEXT_MONTH,
)
# How long moving the clock waits at most for the events of one simulated day to be processed.
QUIET_SECONDS = 20


def run(today: date | None = None) -> dict[str, object]:
    """Do everything that is due on `today` (by default the business date), and catch up on days without a run.

    Stripe is asked only for the sum of a payment that an email announces and our rows cannot tell. Return the counts of
    emails by kind, the number of missed renewals, and the broken invariants. Idempotent.
    """
    today = today or clock.today()
    searches.forget_old()
    previews.look_up(today)
    letters = {kind.name: asdict(due_letters.send(kind, today)) for kind in DUE_LETTERS}
    staff_letters.new_patrons()
    missed = missed_renewals.find(today)
    payouts.show_missing()
    progress.record_all()
    held.trim()
    broken = invariants.broken()
    for sentence in broken:
        log.error("the ledger is not consistent: %s", sentence)
    watch.report("books-broken", looks.broken_facts(broken))
    return {"letters": letters, "missed_renewals": missed, "broken": broken}


def first_day_with_letters(after: date, until: date) -> date | None:
    """Return the first day later than `after`, at the latest `until`, on which an email is due; None if there is none.

    Sends nothing. For a clock that skips days on which the daily jobs have nothing to do. An email that is due before
    `until`, but not on that day, is not found: most stay due for a week or longer.
    """
    if not _has_letters(until):
        return None
    days = [after + timedelta(days=number) for number in range(1, (until - after).days + 1)]
    return days[bisect_left(days, True, key=_has_letters)]


def _has_letters(day: date) -> bool:
    """Return whether at least one email is due on this day."""
    return any(kind.candidates(day).exists() and kind.due(day).exists() for kind in DUE_LETTERS)


def advance_business_date(days: int) -> date:
    """DEBUG only: move the business date forward one day at a time and run each day's jobs; return the new date.

    With the simulator, wait before each day until the events that are due have been processed, QUIET_SECONDS at most.
    """
    for _ in range(days):
        _wait_until_quiet()
        clock.move(timedelta(days=1))
        run()
    return clock.today()


def _wait_until_quiet() -> None:
    deadline = time.monotonic() + (QUIET_SECONDS if settings.STRIPE_IS_SIMULATED else 0)
    while queue.has_due() and time.monotonic() < deadline:
        time.sleep(0.05)
