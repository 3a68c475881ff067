"""Keeping in step with Stripe: the runs that look (missed events, object by object) and whether all is well.

What a run does is in missed_events.py and comparison/; here is how a run is written down, and the one sign that the
desk, /metrics and `check_ledger` show. Freshness is real time; the spans looked at are Stripe's time.
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
    """Why we may not be in step, each a sentence for staff."""

    DIFFERENCES = "differences", _("There are differences that nobody has settled.")
    NOT_COMPARED = "not_compared", _("The last whole comparison is older than 26 hours.")
    NOT_LISTED = "not_listed", _("Stripe was not asked for missed events in the last 45 minutes.")
    EVENTS_WAIT = "events_wait", _("Events have waited for more than five minutes.")


@dataclass(frozen=True)
class Step:
    """How we stand with Stripe. `agreed_at`: when a whole comparison last found no difference."""

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
    """Are our books and Stripe's the same, as far as we know? One query; safe to ask at any time."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_STEP, [now - WORKED_WITHIN])
        agreed_at, compared_at, listed_at, differences, waiting = cursor.fetchone()
    found = {
        Trouble.DIFFERENCES: bool(differences),
        Trouble.NOT_COMPARED: _is_late(compared_at, COMPARED_WITHIN, now),
        Trouble.NOT_LISTED: _is_late(listed_at, LISTED_WITHIN, now),
        Trouble.EVENTS_WAIT: bool(waiting),
    }
    troubles = tuple(trouble for trouble, is_there in found.items() if is_there)
    return Step(agreed_at, compared_at, listed_at, differences, waiting, troubles)


def facts() -> dict[str, Any]:
    """The sign as plain values, for machines."""
    now = step()
    return {
        "in_step": now.is_in_step,
        "differences": now.differences,
        "agreed_at": now.agreed_at.isoformat() if now.agreed_at else None,
        "troubles": [trouble.value for trouble in now.troubles],
    }


def last_complete(kind: Reconciliation.Kind) -> Reconciliation | None:
    """The newest run that came to its end without an error."""
    return Reconciliation.objects.filter(kind=kind, error="").exclude(finished_at=None).first()


@contextmanager
def recorded(kind: Reconciliation.Kind, since: datetime, until: datetime) -> Iterator[Reconciliation]:
    """A run as a row. Stripe not answering ends it with the error on the row; nothing of it counts as agreement."""
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
    """Hold the one place for a run of this kind; yields False while another process holds it."""
    with locks.taken([f"reconciliation:{kind.value}"]) as ours:
        yield bool(ours)


def _is_late(at: datetime | None, within: timedelta, now: datetime) -> bool:
    return at is None or now - at > within
