"""Where a supporter stands today, from rows already fetched: patron or not, at which level, giving what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from members import clock
from members.models import Level, Membership, Supporter
from payments import money
from payments.desk.columns import BAD, GOOD, LATE, NONE, OVER, day, state
from payments.models import Frequency, Subscription

ORDER = (Membership.State.ENDED, Membership.State.LAPSED, Membership.State.GRACE, Membership.State.ACTIVE)
TONES = {Membership.State.ACTIVE: GOOD, Membership.State.GRACE: LATE}
SUBSCRIPTION_TONES: dict[str, str] = {
    Subscription.Status.ACTIVE: GOOD,
    Subscription.Status.TRIALING: GOOD,
    Subscription.Status.PAST_DUE: LATE,
    Subscription.Status.INCOMPLETE: LATE,
    Subscription.Status.PAUSED: LATE,
    Subscription.Status.UNPAID: BAD,
}


@dataclass(frozen=True)
class PatronStatus:
    """The membership that counts most today. `since` is the first day of the person's first membership."""

    state: Membership.State
    level: Level
    since: date
    until: date

    @property
    def words(self) -> SafeString:
        return state(self.sentence, TONES.get(self.state, OVER))

    @property
    def sentence(self) -> str:
        return {
            Membership.State.ACTIVE: _("Patron"),
            Membership.State.GRACE: _("Patron, in grace"),
            Membership.State.LAPSED: _("Lapsed"),
            Membership.State.ENDED: _("Ended"),
        }[self.state]


def patron_status(supporter: Supporter) -> PatronStatus | None:
    """None for somebody who never was a patron. Reads `memberships` with their levels: prefetch them."""
    today = clock.today()
    rows = list(supporter.memberships.all())
    best = max(rows, key=lambda row: (ORDER.index(row.state_on(today)), row.level.rank, row.paid_through), default=None)
    if best is None:
        return None
    until = best.ended_on or best.paid_through
    return PatronStatus(best.state_on(today), best.level, min(row.starts_on for row in rows), until)


def status_words(supporter: Supporter) -> SafeString:
    found = patron_status(supporter)
    return found.words if found else state(_("Not a patron"), OVER)


def gives(subscriptions: Iterable[Subscription]) -> str:
    """What the living subscriptions promise, in words, such as "€10 a month"."""
    return ", ".join(promise(row) for row in subscriptions if row.is_alive) or NONE


def promise(row: Subscription) -> str:
    """The amount with its rhythm, in words."""
    shown = money.format(row.amount, row.currency, short=True)
    if row.frequency == Frequency.YEAR:
        return _("%(amount)s a year") % {"amount": shown}
    return _("%(amount)s a month") % {"amount": shown}


def subscription_state(row: Subscription) -> SafeString:
    """Stripe's status in words; a subscription that is stopping says so."""
    if row.is_stopping:
        return state(_("stops at the period's end"), LATE)
    if row.collection_paused and row.is_alive:
        return state(str(row.Status.PAUSED.label), LATE)
    return state(row.get_status_display(), SUBSCRIPTION_TONES.get(row.status, OVER))


def charged_on(row: Subscription) -> date | None:
    """The day of the next payment; None when it is over, stopping, or paused without an end."""
    if not row.is_alive or row.is_stopping:
        return None
    if row.collection_paused:
        return clock.day_of(row.resumes_at) if row.resumes_at else None
    return row.renews_on


def next_payment(row: Subscription) -> str:
    return day(charged_on(row))
