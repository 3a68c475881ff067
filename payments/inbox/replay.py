"""Process events again: one event, some, or all of a list, on request of staff; and events that had no effect.

Safe, because every effect is recorded once. Many events are spread over time, so that new ones do not wait behind them.
Called by the desk, by `manage.py replay` and by reconciling/missed_events.py, when Stripe lists an event that is dead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from payments.inbox import queue
from payments.models import StripeEvent
from payments.stripe_api import signatures
from payments.stripe_api.event_types import HANDLED

State = StripeEvent.State
AT_A_TIME = 500


@dataclass(frozen=True)
class EventGroup:
    """The number of events of one type in one state."""

    type: str
    state: str
    count: int


def workable(events: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
    """Return the events that can be processed again.

    Left out are foreign events (of another mode, account or installation, unless only our key was wrong), ignored
    events of types that still have no handler, events with a trimmed payload, and those that a drain is processing.
    """
    handled = Q(state__in=[State.PROCESSED, *StripeEvent.WAITING, State.DEAD])
    has_a_handler_now = Q(state=State.IGNORED, type__in=HANDLED)
    claimed = Q(lease_until__gt=timezone.now())
    return events.filter(
        handled | has_a_handler_now | _foreign_by_mistake(),
        trimmed_at=None,
    ).exclude(claimed)


def _foreign_by_mistake() -> Q:
    """Return the condition for events stored as foreign that match the mode and account of the present key.

    They arrived while the key was a wrong one, and were never processed.
    """
    is_live = signatures.is_live_key(settings.STRIPE_SECRET_KEY)
    foreign_on_arrival = Q(state=State.FOREIGN, processed_at=None, type__in=HANDLED)
    return foreign_on_arrival & Q(is_livemode=is_live, account__in=["", settings.STRIPE_ACCOUNT])


def is_workable(event: StripeEvent) -> bool:
    return workable(StripeEvent.objects.filter(pk=event.pk)).exists()


def given_up(type_: str = "", error: str = "") -> QuerySet[StripeEvent]:
    """Return the dead events, or those of a type or a family of types, or with an error that begins so."""
    dead = StripeEvent.objects.filter(state=State.DEAD, error__startswith=error)
    return dead.filter(Q(type=type_) | Q(type__startswith=f"{type_}.")) if type_ else dead


def groups(events: QuerySet[StripeEvent]) -> list[EventGroup]:
    """Return the number of events by type and state, largest group first. One query."""
    rows = events.order_by().values("type", "state").annotate(count=Count("pk"))
    return sorted((EventGroup(**row) for row in rows), key=lambda kind: (-kind.count, kind.type, kind.state))


def replay(events: QuerySet[StripeEvent]) -> int:
    """Put the workable ones of these events back into the queue, with their tries reset; return how many.

    The first AT_A_TIME are due now, the others later, at the pace at which we may read from Stripe. Safe to repeat:
    the effects of an event are recorded once.
    """
    start = timezone.now()
    count = 0
    new: dict[str, Any] = {"state": State.PENDING, "attempts": 0, "failures": 0, "error": "", "lease_until": None}
    for number, ids in enumerate(_chunks(workable(events))):
        due = start + timedelta(seconds=number * AT_A_TIME / settings.STRIPE_READS_PER_SECOND)
        count += workable(StripeEvent.objects.filter(pk__in=ids)).update(**new, next_try_at=due)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [queue.CHANNEL])
    return count


def try_once_more(events: QuerySet[StripeEvent]) -> int:
    """Give the dead ones of these events one more try, now; return how many.

    They keep their failures but the last, and their error: one more failure and they are dead again.
    """
    again = {"state": State.FAILED, "failures": queue.MAX_TRIES - 1, "lease_until": None}
    return events.filter(state=State.DEAD).update(**again, next_try_at=timezone.now())


def _chunks(events: QuerySet[StripeEvent]) -> Iterator[list[str]]:
    ids = list(events.order_by("received_at", "pk").values_list("pk", flat=True))
    for start in range(0, len(ids), AT_A_TIME):
        yield ids[start : start + AT_A_TIME]
