"""Working events again, or at once: what staff ask for, one event, some, or all of a list. Safe, because every effect
happens once. Many are spread over time, so that what Stripe sends meanwhile does not wait behind them.
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
    """So many events of a type in a state."""

    type: str
    state: str
    count: int


def workable(events: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
    """Those of which working again makes sense: not of another mode or account, not of a type that nobody handles, not
    trimmed of what they said, and not in the hands of a drain right now.
    """
    worked = Q(state__in=[State.PROCESSED, *StripeEvent.WAITING, State.DEAD])
    came_too_early = Q(state=State.IGNORED, type__in=HANDLED)
    in_hand = Q(lease_until__gt=timezone.now())
    return events.filter(worked | came_too_early | _turned_away_by_mistake(), trimmed_at=None).exclude(in_hand)


def _turned_away_by_mistake() -> Q:
    """Kept as foreign at the door and not worked since, though they are of the mode and account that our key is of now:
    the key was a wrong one when they came.
    """
    is_live = signatures.is_live_key(settings.STRIPE_SECRET_KEY)
    at_the_door = Q(state=State.FOREIGN, processed_at=None, type__in=HANDLED)
    return at_the_door & Q(is_livemode=is_live, account__in=["", settings.STRIPE_ACCOUNT])


def is_workable(event: StripeEvent) -> bool:
    return workable(StripeEvent.objects.filter(pk=event.pk)).exists()


def groups(events: QuerySet[StripeEvent]) -> list[EventGroup]:
    """What is in a set, most first. One query."""
    rows = events.order_by().values("type", "state").annotate(count=Count("pk"))
    return sorted((EventGroup(**row) for row in rows), key=lambda kind: (-kind.count, kind.type, kind.state))


def replay(events: QuerySet[StripeEvent]) -> int:
    """Put what is workable of these back into the queue, with all tries ahead; returns how many. Safe to call again."""
    start, count = timezone.now(), 0
    for number, ids in enumerate(_chunks(workable(events))):
        due = start + timedelta(seconds=number * AT_A_TIME / settings.STRIPE_READS_PER_SECOND)
        fresh: dict[str, Any] = {"state": State.PENDING, "attempts": 0, "failures": 0, "error": "", "lease_until": None}
        count += workable(StripeEvent.objects.filter(pk__in=ids)).update(**fresh, next_try_at=due)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [queue.CHANNEL])
    return count


def _chunks(events: QuerySet[StripeEvent]) -> Iterator[list[str]]:
    ids = list(events.order_by("received_at", "pk").values_list("pk", flat=True))
    for start in range(0, len(ids), AT_A_TIME):
        yield ids[start : start + AT_A_TIME]
