"""A supporter's status today in words: patron or not, at which level, giving what. Computed from fetched rows.

Used by the desk's lists, by the supporter's page and by the acts on subscriptions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from members import clock
from members.models import Level, Membership, Supporter
from payments import money, rhythms
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
    """The membership that counts most today.

    `since` is the first day of the supporter's first membership; `until` is the day this one ended, or its last paid
    day.
    """

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
    """Return the status of the membership that counts most today; None if the supporter never had one.

    Reads `memberships` with their levels: prefetch them.
    """
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
    """Return the amounts of the subscriptions that have not ended, such as "€10 a month"; a dash without any."""
    return ", ".join(promise(row) for row in subscriptions if row.is_alive) or NONE


def promise(row: Subscription) -> str:
    """Return the amount and rhythm of a subscription, such as "€10 a month" or "€30 every 3 months"."""
    if row.frequency == Frequency.OTHER or not row.amount:
        return rhythms.gift(row.amount, row.currency, row.rhythm)
    shown = money.format(row.amount, row.currency, short=True)
    if row.frequency == Frequency.YEAR:
        return _("%(amount)s a year") % {"amount": shown}
    return _("%(amount)s a month") % {"amount": shown}


def subscription_state(row: Subscription) -> SafeString:
    """Return the status of a subscription in words: set to stop, paused, or else Stripe's; and the day of its end."""
    if row.is_stopping and row.ends_on == row.renews_on:
        return state(_("stops at the period's end"), LATE)
    if row.is_stopping:
        return state(_("stops on %(day)s") % {"day": day(row.ends_on)}, LATE)
    if row.collection_paused and row.is_alive:
        return state(_until(str(row.Status.PAUSED.label), row), LATE)
    return state(_until(row.get_status_display(), row), SUBSCRIPTION_TONES.get(row.status, OVER))


def _until(words: str, row: Subscription) -> str:
    """Return these words, with the day of an end that was agreed for later."""
    return _("%(state)s, ends on %(day)s") % {"state": words, "day": day(row.ends_on)} if row.ends_on else words


def charged_on(row: Subscription) -> date | None:
    """Return the day of the next payment; None if the gift has ended, is set to stop, or is paused without an end."""
    if not row.is_alive or row.is_stopping or row.status == Subscription.Status.PAUSED:
        return None
    if row.collection_paused:
        return clock.day_of(row.resumes_at) if row.resumes_at else None
    return row.renews_on


def next_payment(row: Subscription) -> str:
    return day(charged_on(row))
