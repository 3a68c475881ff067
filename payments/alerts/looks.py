"""The checks behind the alerts: each function returns facts if something is wrong, and None if all is well.

Called through the rules (rules.py) by watch.py. Facts are counts, minutes and ids, never about people; rules.py puts
them into words. Real time, except for rows that are dated by the business clock. Checks of emails are in mail_looks.py.
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
from members.newsroom import values as newsroom
from payments import heartbeats, key_faults
from payments.errors import KEY_REFUSED, KEY_REUSED, KeyRefused
from payments.giving import refused
from payments.inbox import queue
from payments.models import (
    Case,
    CustomerDeletion,
    Dispute,
    Frequency,
    MethodChange,
    OverdueTry,
    Reconciliation,
    RefundRequest,
    StripeEvent,
    StripeRequest,
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
# The object that a parked event waits for arrives within seconds, or is fetched within 15 minutes (missed_events.py).
PARKED_TOO_LONG = timedelta(hours=1)
# A refused webhook counts for two hours: Stripe sends it again within one. It counts only if no webhook was accepted
# since three minutes before it.
REFUSED_WITHIN = timedelta(hours=2)
NONE_ACCEPTED_FOR = timedelta(minutes=3)
UNANSWERED_TOO_LONG = timedelta(minutes=10)
ANSWER_DISPUTES_WITHIN = timedelta(days=3)
RECENT = timedelta(days=1)
# Silence is suspicious if it should have held this many renewals: five stay away by chance once in 150 times.
EXPECTED_RENEWALS = 5


def events_waiting() -> Facts | None:
    """Check for events that no drain processes, or for which Stripe does not answer.

    A pending event counts if it arrived over five minutes ago and was tried; any waiting event if its next try is over
    five minutes late. An event that a drain has claimed does not count.
    """
    now = timezone.now()
    limit = now - WAITING_TOO_LONG
    was_tried = Q(state=State.PENDING, received_at__lt=limit, attempts__gt=0)
    is_overdue = Q(state__in=StripeEvent.WAITING, next_try_at__lt=limit)
    waiting = StripeEvent.objects.filter(was_tried | is_overdue).exclude(lease_until__gt=now)
    return counted(waiting, "received_at", now)


def events_dead() -> Facts | None:
    """Check for events that were given up, or failed at least three times."""
    stuck = Q(state=State.DEAD) | Q(state=State.FAILED, failures__gte=FAILING_AFTER_TRIES)
    return counted(StripeEvent.objects.filter(stuck), "received_at", timezone.now())


def events_parked() -> Facts | None:
    """Check for events that have waited over an hour for another event. For a lost gift: see `gifts_unknown`."""
    now = timezone.now()
    old = StripeEvent.objects.filter(state=State.PARKED, received_at__lt=now - PARKED_TOO_LONG)
    return counted(old.exclude(error__startswith=queue.LOST), "received_at", now)


def events_foreign() -> Facts | None:
    """Check for events of another mode or account, which the webhook view stored without processing them.

    Events about objects of other software on the same account are processed before they are found to be foreign.
    """
    recent = StripeEvent.objects.filter(state=State.FOREIGN, received_at__gt=timezone.now() - RECENT)
    return counted(recent.filter(processed_at=None), "received_at", timezone.now())


def key_refused() -> Facts | None:
    """Check whether Stripe refuses our key: for what waits, in the last run of each kind, or for other work of late.

    What waits are events, requests, and accepted requests whose invoices could not be looked at. The reason names the
    permission that is missing.
    """
    waiting: list[tuple[QuerySet[Any], str]] = [(StripeEvent.objects.filter(state=State.PENDING), "received_at")]
    waiting += [(rows, "requested_at") for rows in _unanswered()]
    waiting += [(SubscriptionChange.objects.filter(has_bills_to_check=True), "requested_at")]
    found = [(rows.filter(error__startswith=KEY_REFUSED).order_by(f"-{at}"), at) for rows, at in waiting]
    refused_ones = [(rows, facts) for rows, at in found if (facts := counted(rows, at, timezone.now()))]
    reasons = [rows.values_list("error", flat=True)[0].removeprefix(KEY_REFUSED) for rows, _ in refused_ones]
    reasons += _refused_runs() + key_faults.reasons()
    if not reasons:
        return None
    return {"count": sum(facts["count"] for _, facts in refused_ones), "reason": reasons[0]}


def _refused_runs() -> list[str]:
    """Return why our key was refused in the last run of each kind: missed events, the balance, object by object."""
    last = Reconciliation.objects.order_by("kind", "-started_at").distinct("kind")
    name = f"{KeyRefused.__name__}: "
    return [run.error.removeprefix(name) for run in last if run.error.startswith(name)]


def gifts_refused() -> Facts | None:
    """Check for open cases about gifts that Stripe did not let begin, by a fault of ours; the newest code is named."""
    refused_ones = Case.objects.filter(key__startswith=refused.KEY, settled_at=None)
    facts = counted(refused_ones, "opened_at", clock.now())
    return facts and {**facts, "reason": refused_ones.order_by("-opened_at")[0].facts["reason"]}


def gifts_unknown() -> Facts | None:
    """Check for events that name a checkout of ours whose row is missing, as after a restored backup."""
    waiting = StripeEvent.objects.filter(state=State.PARKED, error__startswith=queue.LOST)
    return counted(waiting, "received_at", timezone.now())


def events_version() -> Facts | None:
    """Check for recent events of another API version than ours."""
    recent = StripeEvent.objects.filter(is_sync=False, received_at__gt=timezone.now() - RECENT)
    return counted(recent.exclude(api_version=client.API_VERSION), "received_at", timezone.now())


def no_events() -> Facts | None:
    """Check whether no webhook has arrived for suspiciously long, given the renewals that should have come.

    Events that we fetched ourselves do not count. Off if ALERT_NO_EVENTS_HOURS is 0, and before the first webhook.
    """
    hours = newsroom.number("ALERT_NO_EVENTS_HOURS")
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
    """Check whether a webhook was refused for its signature and none was accepted since: our secret is wrong."""
    refused = heartbeats.refused_at()
    now = timezone.now()
    if refused is None or refused < now - REFUSED_WITHIN:
        return None
    accepted = StripeEvent.objects.filter(is_sync=False, is_listed=False)
    if accepted.filter(received_at__gt=refused - NONE_ACCEPTED_FOR).exists():
        return None
    return {"minutes": round((now - refused).total_seconds() / 60)}


def silent(name: str) -> Look:
    """Return a check whether the process with this name was not heard of for too long."""

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
    """Return a check for open cases of these kinds, without those that have an alert of their own."""

    def look() -> Facts | None:
        rows = Case.objects.filter(kind__in=kinds, settled_at=None).exclude(key__startswith=refused.KEY)
        return counted(rows, "opened_at", clock.now())

    return look


def disputes_due() -> Facts | None:
    """Check for disputes that must be answered within three days, late ones included."""
    waiting = (Dispute.Status.NEEDS_RESPONSE, Dispute.Status.WARNING_NEEDS_RESPONSE)
    due = Dispute.objects.filter(status__in=waiting, respond_by__lt=clock.now() + ANSWER_DISPUTES_WITHIN)
    return {"count": count} if (count := due.count()) else None


def requests_unanswered() -> Facts | None:
    """Check for stops, changes, refunds and retries that Stripe has not answered for ten minutes.

    One whose key was sent with other parameters before counts at once: it is a fault of ours.
    """
    too_long = Q(requested_at__lt=clock.now() - UNANSWERED_TOO_LONG) | Q(error__startswith=KEY_REUSED)
    count = sum(rows.filter(too_long).count() for rows in _unanswered())
    return {"count": count} if count else None


def _unanswered() -> list[QuerySet[Any]]:
    """Return the requests that Stripe has not answered, one queryset for each model."""
    models = (SubscriptionChange, MethodChange, RefundRequest, OverdueTry, CustomerDeletion)
    return [model._default_manager.filter(state=StripeRequest.State.REQUESTED) for model in models]


def redis_away() -> Facts | None:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as server:
            server.ping()
    except (redis.RedisError, OSError, ValueError) as problem:
        return {"error": type(problem).__name__}
    return None


def books_broken() -> Facts | None:
    """Check the invariants of the ledger. Costly: one query for each, over all rows."""
    return broken_facts(invariants.broken())


def broken_facts(broken: list[str]) -> Facts | None:
    """Return the facts about these broken invariants, None for []."""
    return {"count": len(broken), "first": broken[0]} if broken else None


def counted(rows: QuerySet[Any], since: str, now: datetime) -> Facts | None:
    """Return how many rows there are, and the age of the oldest in minutes by its field `since`; None if none."""
    found = rows.order_by().aggregate(count=Count("pk"), oldest=Min(since))
    if not found["count"]:
        return None
    return {"count": found["count"], "minutes": round(max(timedelta(0), now - found["oldest"]) / timedelta(minutes=1))}


def _late(at: datetime | None, within: timedelta) -> Facts | None:
    """Return how long ago `at` was, if that is longer than `within`; else None.

    For a run that has never finished the ages are "?", or None on a new installation, which has nothing to compare yet.
    """
    now = timezone.now()
    if at is None:
        is_new = not StripeEvent.objects.filter(received_at__lt=now - within).exists()
        return None if is_new else {"hours": "?", "minutes": "?"}
    if now - at <= within:
        return None
    return {"hours": round((now - at) / timedelta(hours=1)), "minutes": round((now - at) / timedelta(minutes=1))}
