"""The checks of emails behind the alerts: emails that wait, fail, bounce, are called spam, or may not be sent.

Called through the rules (rules.py), like the checks in looks.py, and with the same facts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from members import clock
from members.models import Message
from payments.alerts.looks import RECENT, Facts, counted

WAIT_TOO_LONG = timedelta(minutes=10)
LEAST_FAILED = 3
# Of the emails about which a provider has reported: if at least so many, and more than this share of them, come back,
# our list of addresses or our reputation is at fault.
LEAST_BOUNCED, BOUNCED_SHARE = 5, 0.05
# Gmail and Yahoo demand fewer than three in a thousand.
LEAST_COMPLAINED, COMPLAINED_SHARE = 3, 0.001


def letters_waiting() -> Facts | None:
    """Check for emails that have not been sent for ten minutes."""
    queued = Message.objects.filter(state__in=(Message.State.PENDING, Message.State.SENDING))
    now = clock.now()
    return counted(queued.filter(created_at__lt=now - WAIT_TOO_LONG), "created_at", now)


def letters_failed() -> Facts | None:
    """Check for three or more emails of the last day that failed, or of which nobody knows whether they left."""
    now = clock.now()
    failed = Message.objects.filter(
        state__in=(Message.State.FAILED, Message.State.UNKNOWN), created_at__gt=now - RECENT
    )
    facts = counted(failed, "created_at", now)
    return facts if facts and facts["count"] >= LEAST_FAILED else None


def letters_returned() -> Facts | None:
    """Check whether many emails bounced in the last day. Real time, as that is how a provider's reports are dated."""
    return _reported_as(Message.Delivery.BOUNCED, timezone.now() - RECENT, LEAST_BOUNCED, BOUNCED_SHARE)


def letters_complained() -> Facts | None:
    """Check whether many emails were marked as spam in the last week."""
    return _reported_as(Message.Delivery.COMPLAINED, timezone.now() - 7 * RECENT, LEAST_COMPLAINED, COMPLAINED_SHARE)


def letters_withheld() -> Facts | None:
    """Check for emails of the last day that were not sent because their address gets no email any more."""
    now = timezone.now()
    withheld = Message.objects.filter(withheld=Message.Withheld.SUPPRESSED, withheld_at__gt=now - RECENT)
    return counted(withheld, "withheld_at", now)


def _reported_as(result: Message.Delivery, since: datetime, least: int, share: float) -> Facts | None:
    """Return how many emails a provider has reported with this result since then, of how many it reported on.

    None if they are fewer than `least` or no more than this share.
    """
    reported = Message.objects.exclude(delivery=Message.Delivery.UNTOLD).filter(delivery_at__gt=since).order_by()
    found = reported.aggregate(count=Count("pk", filter=Q(delivery=result)), total=Count("pk"))
    if found["count"] < least or found["count"] <= share * found["total"]:
        return None
    return {"count": found["count"], "total": found["total"]}
