"""Entitlements: whether a person has access today, at which level and until when.

Reads memberships only, with one query, so it works while payments, Stripe or Redis are down. Called by the API for
other servers (members/views/api.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from members import clock
from members.models import Membership, Supporter


@dataclass(frozen=True)
class Entitlement:
    """A person's access today. `level` (slug) and `until` (last day, grace included) are None without access."""

    active: bool
    level: str | None
    until: date | None
    reason: str  # active, grace, lapsed, ended, none


NOTHING = Entitlement(active=False, level=None, until=None, reason="none")


def of_email(email: str) -> Entitlement:
    """Return the entitlement of the person with this address, however it is capitalised.

    Returns NOTHING for an unknown address, after the same single query, so the time taken reveals nothing.
    """
    supporters = Supporter.objects.with_email(email).values("pk")
    return _of(Membership.objects.filter(supporter__in=supporters))


def of_supporter(supporter: Supporter) -> Entitlement:
    """Return the entitlement of this supporter; NOTHING if no membership has started yet."""
    return _of(Membership.objects.filter(supporter=supporter))


def _of(memberships: QuerySet[Membership]) -> Entitlement:
    today = clock.today()
    rows = memberships.filter(starts_on__lte=today).select_related("level")
    best = max(rows, key=lambda row: _sort_key(row, today), default=None)
    if best is None:
        return NOTHING
    state = best.state_on(today)
    if not _gives_access(state):
        return Entitlement(active=False, level=None, until=None, reason=state.value)
    return Entitlement(active=True, level=best.level.slug, until=_last_day(best), reason=state.value)


def _sort_key(membership: Membership, today: date) -> tuple[bool, int, date]:
    """Return the sort key that puts the membership that counts last.

    Current ones beat past ones. Of current ones the highest rank wins, then the longest; of past ones the latest.
    """
    has_access = _gives_access(membership.state_on(today))
    return has_access, membership.level.rank if has_access else 0, _last_day(membership)


def _gives_access(state: Membership.State) -> bool:
    return state in (Membership.State.ACTIVE, Membership.State.GRACE)


def _last_day(membership: Membership) -> date:
    """Return the last day of access: the end of grace, or the day before the membership ended if that is earlier."""
    if membership.ended_on is None:
        return membership.grace_through
    return min(membership.grace_through, membership.ended_on - timedelta(days=1))
