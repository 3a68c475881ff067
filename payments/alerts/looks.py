"""What the alerts look at: each function asks the database one thing and gives facts when something is wrong.

Counts, minutes and ids only, never people. Real time, except where rows are dated by the business clock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import redis
from django.conf import settings
from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone

from members import clock
from members.models import Message
from payments import heartbeats
from payments.inbox import queue
from payments.models import (
    Case,
    Dispute,
    Frequency,
    OverdueTry,
    RefundRequest,
    StripeEvent,
    Subscription,
    SubscriptionChange,
)
from payments.reconciling import invariants, runs
from payments.stripe_api import client

Facts = dict[str, Any]
Look = Callable[[], Facts | None]
State = StripeEvent.State

WAITING_TOO_LONG = timedelta(minutes=5)
FAILING_AFTER_TRIES = 3
# What an event waits for comes within seconds, or within the quarter of an hour in which Stripe's list is asked for it.
PARKED_TOO_LONG = timedelta(hours=1)
LETTERS_WAIT_TOO_LONG = timedelta(minutes=10)
LETTERS_IN_TROUBLE = 3
# Of the letters a provider told about: where this many come back, the list of addresses or our name is at fault.
BOUNCES_IN_TROUBLE, BOUNCED_SHARE = 5, 0.05
# Gmail and Yahoo ask for less than three in a thousand.
COMPLAINTS_IN_TROUBLE, COMPLAINED_SHARE = 3, 0.001
# Stripe repeats what was refused within the hour.
REFUSED_LATELY = timedelta(hours=2)
REFUSED_ALONE_FOR = timedelta(minutes=3)
UNANSWERED_TOO_LONG = timedelta(minutes=10)
ANSWER_DISPUTES_WITHIN = timedelta(days=3)
RECENT = timedelta(days=1)
# How many renewals a silence must have swallowed before it is strange: five by chance happen once in 150 times.
EXPECTED_RENEWALS = 5


def events_waiting() -> Facts | None:
    """Nobody works them, or Stripe does not answer. What is parked waits its time, unless that is over."""
    now = timezone.now()
    limit = now - WAITING_TOO_LONG
    was_tried = Q(state=State.PENDING, received_at__lt=limit, attempts__gt=0)
    overdue = Q(state__in=StripeEvent.WAITING, next_try_at__lt=limit)
    waiting = StripeEvent.objects.filter(was_tried | overdue).exclude(lease_until__gt=now)
    return _counted(waiting, "received_at", now)


def events_dead() -> Facts | None:
    hopeless = Q(state=State.DEAD) | Q(state=State.FAILED, failures__gte=FAILING_AFTER_TRIES)
    return _counted(StripeEvent.objects.filter(hopeless), "received_at", timezone.now())


def events_parked() -> Facts | None:
    """They wait for something that does not come. Those that wait for a lost gift have a rule of their own."""
    now = timezone.now()
    old = StripeEvent.objects.filter(state=State.PARKED, received_at__lt=now - PARKED_TOO_LONG)
    return _counted(old.exclude(error__startswith=queue.LOST), "received_at", now)


def events_foreign() -> Facts | None:
    """Of another mode or account: refused by the door. What other software on the account made was worked first."""
    recent = StripeEvent.objects.filter(state=State.FOREIGN, received_at__gt=timezone.now() - RECENT)
    return _counted(recent.filter(processed_at=None), "received_at", timezone.now())


def gifts_unknown() -> Facts | None:
    """Events that name a checkout of ours that our books lack: what they tell waits until somebody brings it back."""
    waiting = StripeEvent.objects.filter(state=State.PARKED, error__startswith=queue.LOST)
    return _counted(waiting, "received_at", timezone.now())


def events_version() -> Facts | None:
    recent = StripeEvent.objects.filter(is_sync=False, received_at__gt=timezone.now() - RECENT)
    return _counted(recent.exclude(api_version=client.API_VERSION), "received_at", timezone.now())


def no_events() -> Facts | None:
    """Silence at our door, measured by the renewals that should have come. What we fetched ourselves did not come."""
    hours = settings.ALERT_NO_EVENTS_HOURS
    came = StripeEvent.objects.filter(is_sync=False, is_listed=False)
    last = came.aggregate(last=Max("received_at"))["last"]
    if not hours or last is None or (silent := timezone.now() - last) < timedelta(hours=hours):
        return None
    alive = Subscription.objects.alive().aggregate(
        monthly=Count("pk", filter=Q(frequency=Frequency.MONTH)), yearly=Count("pk", filter=Q(frequency=Frequency.YEAR))
    )
    expected = silent / timedelta(days=365.25) * (12 * alive["monthly"] + alive["yearly"])
    return {"hours": round(silent / timedelta(hours=1))} if expected >= EXPECTED_RENEWALS else None


def signatures_refused() -> Facts | None:
    """Somebody knocks in Stripe's form, and since then nothing with a signature that fits: our secret is wrong."""
    refused = heartbeats.refused_at()
    now = timezone.now()
    if refused is None or refused < now - REFUSED_LATELY:
        return None
    fitting = StripeEvent.objects.filter(is_sync=False, is_listed=False)
    if fitting.filter(received_at__gt=refused - REFUSED_ALONE_FOR).exists():
        return None
    return {"minutes": round((now - refused).total_seconds() / 60)}


def letters_waiting() -> Facts | None:
    owed = Message.objects.filter(state__in=(Message.State.PENDING, Message.State.SENDING))
    now = clock.now()
    return _counted(owed.filter(created_at__lt=now - LETTERS_WAIT_TOO_LONG), "created_at", now)


def letters_failed() -> Facts | None:
    now = clock.now()
    lost = Message.objects.filter(state__in=(Message.State.FAILED, Message.State.UNKNOWN), created_at__gt=now - RECENT)
    facts = _counted(lost, "created_at", now)
    return facts if facts and facts["count"] >= LETTERS_IN_TROUBLE else None


def letters_returned() -> Facts | None:
    """Real time: a provider's reports are dated by it."""
    return _told_of(Message.Delivery.BOUNCED, timezone.now() - RECENT, BOUNCES_IN_TROUBLE, BOUNCED_SHARE)


def letters_complained() -> Facts | None:
    return _told_of(Message.Delivery.COMPLAINED, timezone.now() - 7 * RECENT, COMPLAINTS_IN_TROUBLE, COMPLAINED_SHARE)


def letters_withheld() -> Facts | None:
    """Owed to somebody, about their money, and not sent because their address takes no mail."""
    now = timezone.now()
    kept = Message.objects.filter(withheld=Message.Withheld.SUPPRESSED, withheld_at__gt=now - RECENT)
    return _counted(kept, "withheld_at", now)


def silent(name: str) -> Look:
    def look() -> Facts | None:
        age = heartbeats.ages()[name]
        if age is None:
            return {"minutes": "?"}
        return {"minutes": round(age / 60)} if heartbeats.is_silent(name, age) else None

    return look


def differences_open() -> Facts | None:
    count = runs.step().differences
    return {"count": count} if count else None


def not_compared() -> Facts | None:
    return _late(runs.step().compared_at, runs.COMPARED_WITHIN)


def not_listed() -> Facts | None:
    return _late(runs.step().listed_at, runs.LISTED_WITHIN)


def open_cases(*kinds: Case.Kind) -> Look:
    return lambda: _counted(Case.objects.filter(kind__in=kinds, settled_at=None), "opened_at", clock.now())


def disputes_due() -> Facts | None:
    waiting = (Dispute.Status.NEEDS_RESPONSE, Dispute.Status.WARNING_NEEDS_RESPONSE)
    due = Dispute.objects.filter(status__in=waiting, respond_by__lt=clock.now() + ANSWER_DISPUTES_WITHIN)
    return {"count": count} if (count := due.count()) else None


def requests_unanswered() -> Facts | None:
    old = {"state": "requested", "requested_at__lt": clock.now() - UNANSWERED_TOO_LONG}
    count = sum(
        model._default_manager.filter(**old).count() for model in (SubscriptionChange, RefundRequest, OverdueTry)
    )
    return {"count": count} if count else None


def redis_away() -> Facts | None:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as server:
            server.ping()
    except (redis.RedisError, OSError, ValueError) as problem:
        return {"error": type(problem).__name__}
    return None


def books_broken() -> Facts | None:
    return broken_facts(invariants.broken())


def broken_facts(broken: list[str]) -> Facts | None:
    return {"count": len(broken), "first": broken[0]} if broken else None


def _told_of(what: Message.Delivery, since: datetime, least: int, share: float) -> Facts | None:
    """How many of the letters that a provider told about since then ended like that, if it is many and much."""
    told = Message.objects.exclude(delivery=Message.Delivery.UNTOLD).filter(delivery_at__gt=since).order_by()
    found = told.aggregate(count=Count("pk", filter=Q(delivery=what)), total=Count("pk"))
    if found["count"] < least or found["count"] <= share * found["total"]:
        return None
    return {"count": found["count"], "total": found["total"]}


def _counted(rows: QuerySet[Any], since: str, now: datetime) -> Facts | None:
    found = rows.order_by().aggregate(count=Count("pk"), oldest=Min(since))
    if not found["count"]:
        return None
    return {"count": found["count"], "minutes": round(max(timedelta(0), now - found["oldest"]) / timedelta(minutes=1))}


def _late(at: datetime | None, within: timedelta) -> Facts | None:
    """A new installation has nothing to compare yet."""
    now = timezone.now()
    if at is None:
        is_new = not StripeEvent.objects.filter(received_at__lt=now - within).exists()
        return None if is_new else {"hours": "?", "minutes": "?"}
    if now - at <= within:
        return None
    return {"hours": round((now - at) / timedelta(hours=1)), "minutes": round((now - at) / timedelta(minutes=1))}
