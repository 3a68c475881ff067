"""What a person may use now, and until when. Read by the API for other servers and by the patron's own page.

Answers from memberships alone, with one query, whatever happens to payments, Stripe or Redis.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from members import clock
from members.models import Membership, Supporter


@dataclass(frozen=True)
class Entitlement:
    """`level` and `until` (the last day of access, grace included) are said only while there is access."""

    active: bool
    level: str | None
    until: date | None
    reason: str  # active, grace, lapsed, ended, none


NOTHING = Entitlement(active=False, level=None, until=None, reason="none")


def of_email(email: str) -> Entitlement:
    """What the person with this address may use. Known or unknown, the same single query. Safe to call twice."""
    supporters = Supporter.objects.with_email(email).values("pk")
    return _of(Membership.objects.filter(supporter__in=supporters))


def of_supporter(supporter: Supporter) -> Entitlement:
    """The same for somebody we already have."""
    return _of(Membership.objects.filter(supporter=supporter))


def _of(memberships: QuerySet[Membership]) -> Entitlement:
    today = clock.today()
    rows = memberships.filter(starts_on__lte=today).select_related("level")
    best = max(rows, key=lambda row: _worth(row, today), default=None)
    if best is None:
        return NOTHING
    state = best.state_on(today)
    if not _is_running(state):
        return Entitlement(active=False, level=None, until=None, reason=state.value)
    return Entitlement(active=True, level=best.level.slug, until=_last_day(best), reason=state.value)


def _worth(membership: Membership, today: date) -> tuple[bool, int, date]:
    """Running before over; of running ones the highest rank, then the longest; of those over the latest."""
    is_running = _is_running(membership.state_on(today))
    return is_running, membership.level.rank if is_running else 0, _last_day(membership)


def _is_running(state: Membership.State) -> bool:
    return state in (Membership.State.ACTIVE, Membership.State.GRACE)


def _last_day(membership: Membership) -> date:
    """The last day of access: grace, unless it ended before."""
    if membership.ended_on is None:
        return membership.grace_through
    return min(membership.grace_through, membership.ended_on - timedelta(days=1))
