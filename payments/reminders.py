"""Reminders of yearly renewals: 30 and 7 days before, late rather than never. Called by the daily jobs.

The letter is payments/emails.py's, the date the business clock's. Nothing here asks Stripe.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date, timedelta

from django.db import transaction

from members.models import Message
from payments import cases, emails
from payments.models import Case, Frequency, Subscription

log = logging.getLogger("hromada.reminders")

FIRST, LAST = 30, 7
LATE_FROM = 20  # card rules want the notice 7 to 30 days ahead; with 20 left somebody has time to look into it


def send_due(today: date) -> dict[str, int]:
    """Owe every reminder that is due on this business date. Safe to run many times a day and at once.

    Due is a yearly gift that renews within 30 days and is not stopping. Who got no reminder before the last week gets
    the one of the last week only. One supporter's broken row costs nobody else's letter. Returns counts.
    """
    due = _due(today)
    sent = _keys_sent(due)
    counts = {"due": len(due), "queued": 0, "already": 0, "failed": 0}
    for subscription in due:
        counts[_remind(subscription, today, sent)] += 1
    if counts["failed"]:
        log.error("%s renewal reminders failed of %s", counts["failed"], counts["due"])
    return counts


def _due(today: date) -> list[Subscription]:
    last_day = today + timedelta(days=FIRST)
    return list(
        Subscription.objects.renewing_by(last_day)
        .filter(frequency=Frequency.YEAR, renews_on__gt=today)
        .select_related("supporter", "checkout")
        .order_by("renews_on", "pk")
    )


def _keys_sent(due: Iterable[Subscription]) -> set[str]:
    keys = [_key(subscription, days) for subscription in due for days in (FIRST, LAST)]
    return set(Message.objects.filter(key__in=keys).values_list("key", flat=True))


def _key(subscription: Subscription, days_before: int) -> str:
    return f"renewal_upcoming_year:{emails.renewal_subject(subscription, days_before)}"


def _remind(subscription: Subscription, today: date, sent: set[str]) -> str:
    """Which count this one belongs to: queued, already or failed."""
    days_left = (subscription.renews_on - today).days
    days_before = LAST if days_left <= LAST else FIRST
    if _key(subscription, days_before) in sent:
        return "already"
    is_first = _key(subscription, FIRST) not in sent
    try:
        with transaction.atomic():
            message = emails.renewal_upcoming_year(subscription, days_before)
            if message and is_first and days_left < LATE_FROM:
                _tell_late(subscription, days_left)
    except Exception as problem:  # one row that cannot be reminded must not stop the others
        log.error("renewal reminder of subscription %s failed: %s", subscription.pk, type(problem).__name__)
        return "failed"
    return "queued" if message else "already"


def _tell_late(subscription: Subscription, days_left: int) -> None:
    renews_on = subscription.renews_on.isoformat()
    facts = {"subscription": subscription.pk, "renews_on": renews_on, "days_left": days_left}
    key = f"reminder_late:{subscription.public_id}:{renews_on}"
    cases.open_case(Case.Kind.REMINDER_LATE, key, subscription.supporter, facts)
    log.error("renewal reminder of subscription %s is late: %s days left", subscription.pk, days_left)
