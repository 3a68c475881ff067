"""Runs of the reconciliation with Stripe: how a run is recorded, and whether we are in step with Stripe.

The runs themselves are missed_events.py and comparison/. The desk, /metrics, the alerts and `check_ledger` show whether
we are in step. The age of a run is real time; the span that it covers is Stripe's time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments import locks
from payments.errors import StripeRefused, StripeUnavailable
from payments.models import Reconciliation

log = logging.getLogger("hromada.reconciliation")

COMPARED_WITHIN = timedelta(hours=26)
LISTED_WITHIN = timedelta(minutes=45)
WORKED_WITHIN = timedelta(minutes=5)


class Trouble(models.TextChoices):
    """The reasons why we may be out of step with Stripe, each a sentence for staff."""

    DIFFERENCES = "differences", _("There are differences that nobody has settled.")
    NEVER_COMPARED = "never_compared", _("Nothing was compared with Stripe yet. It is done within a day of the start.")
    NOT_COMPARED = "not_compared", _("The last whole comparison is older than 26 hours.")
    NOT_LISTED = "not_listed", _("Stripe was not asked for missed events in the last 45 minutes.")
    EVENTS_WAIT = "events_wait", _("Events have waited for more than five minutes.")


@dataclass(frozen=True)
class Step:
    """Whether we are in step with Stripe, and why not.

    `agreed_at`, `compared_at`: when a complete comparison last ended without a difference, and when one last ended.
    `listed_at`: when missed events were last listed to the end. None for never. `differences`: how many are open.
    """

    agreed_at: datetime | None
    compared_at: datetime | None
    listed_at: datetime | None
    differences: int
    events_waiting: int
    troubles: tuple[Trouble, ...]

    @property
    def is_in_step(self) -> bool:
        return not self.troubles


_STEP = """
SELECT max(finished_at) FILTER (WHERE kind = 'objects' AND found = 0),
       max(finished_at) FILTER (WHERE kind = 'objects'),
       max(finished_at) FILTER (WHERE kind = 'events'),
       (SELECT count(*) FROM payments_difference WHERE state = 'open'),
       (SELECT count(*) FROM payments_stripeevent
        WHERE state IN ('pending', 'parked', 'failed') AND received_at < %s)
FROM payments_reconciliation WHERE error = ''
"""


def step() -> Step:
    """Return a `Step`: whether we are in step with Stripe, and why not. From our database alone, in one query."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_STEP, [now - WORKED_WITHIN])
        agreed_at, compared_at, listed_at, differences, waiting = cursor.fetchone()
    found = {
        Trouble.DIFFERENCES: bool(differences),
        Trouble.NEVER_COMPARED: compared_at is None,
        Trouble.NOT_COMPARED: compared_at is not None and _is_late(compared_at, COMPARED_WITHIN, now),
        Trouble.NOT_LISTED: _is_late(listed_at, LISTED_WITHIN, now),
        Trouble.EVENTS_WAIT: bool(waiting),
    }
    troubles = tuple(trouble for trouble, is_there in found.items() if is_there)
    return Step(agreed_at, compared_at, listed_at, differences, waiting, troubles)


def facts() -> dict[str, Any]:
    """Return the most important values of `step()` as plain values, for machines."""
    now = step()
    return {
        "in_step": now.is_in_step,
        "differences": now.differences,
        "agreed_at": now.agreed_at.isoformat() if now.agreed_at else None,
        "troubles": [trouble.value for trouble in now.troubles],
    }


def last_complete(kind: Reconciliation.Kind) -> Reconciliation | None:
    """Return the newest run of a kind that ended without an error, or None."""
    return Reconciliation.objects.filter(kind=kind, error="").exclude(finished_at=None).first()


@contextmanager
def recorded(kind: Reconciliation.Kind, since: datetime, until: datetime) -> Iterator[Reconciliation]:
    """Create a run, yield its row, and save its end and its error when the block ends.

    If Stripe does not answer or refuses, the error is stored on the row and the block ends without raising; such a run
    never counts as complete. Any other error is stored and raised.
    """
    run = Reconciliation.objects.create(kind=kind, since=since, until=until)
    try:
        yield run
    except (StripeUnavailable, StripeRefused) as error:
        run.error = f"{type(error).__name__}: {error}"
        log.warning("reconciliation %s of %s stopped: %s", run.pk, kind.value, type(error).__name__)
    except BaseException as error:
        run.error = type(error).__name__
        raise
    finally:
        run.finished_at = timezone.now()
        run.save()


@contextmanager
def alone(kind: Reconciliation.Kind) -> Iterator[bool]:
    """Lock this kind of run for the block; yield False if another process has it locked. Never waits."""
    with locks.taken([f"reconciliation:{kind.value}"]) as taken:
        yield bool(taken)


def _is_late(at: datetime | None, within: timedelta, now: datetime) -> bool:
    return at is None or now - at > within
