"""The numbers of `/metrics`: queues of events and messages, agreement with Stripe, payments, heartbeats and alerts.

Read from the database for each request, so every process returns the same. Called by project/health.py only.
docs/operations.md explains each metric.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import redis
from django.conf import settings
from django.db.models import Count, F, Max, Min, Q, QuerySet
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from members import clock
from members.models import Message
from payments import heartbeats
from payments.alerts import watch
from payments.alerts.rules import BY_NAME
from payments.models import Case, Payment, StripeEvent
from payments.reconciling import runs
from payments.stripe_api.client import API_VERSION

HOUR = timedelta(hours=1)
CONTENT_TYPE = CONTENT_TYPE_LATEST
QUEUES = ("celery", "bulk")
WAITING_MESSAGES = (Message.State.PENDING, Message.State.SENDING)


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format. Raises django.db.Error if the database does not answer."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Queues())
    registry.register(_Arrivals())
    registry.register(_Watching())
    registry.register(_Money())
    return generate_latest(registry)


class _Queues(Collector):
    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        events = StripeEvent.objects.all()
        messages = Message.objects.all()
        # Events arrive in real time; messages are dated by the business clock, which can be moved in DEBUG.
        yield from _queue("events", "Stripe events", events, StripeEvent.WAITING, "received_at", timezone.now())
        yield from _queue("messages", "Messages", messages, WAITING_MESSAGES, "created_at", clock.now())
        yield _deliveries()
        yield from _agreement()


def _deliveries() -> Metric:
    """Return how many emails the mail provider reported on in the last day, by delivery status."""
    day = Message.objects.exclude(delivery="").filter(delivery_at__gt=timezone.now() - 24 * HOUR).order_by()
    statuses = [value for value in Message.Delivery.values if value]
    counts = day.values_list("delivery").annotate(Count("pk"))
    title = "Emails that the mail provider reported on in the last day"
    return _labelled("letters_told", title, "delivery", statuses, counts)


def _agreement() -> Iterator[Metric]:
    """Return whether our ledger agrees with Stripe, and since when. Without a complete agreement yet, no age."""
    step = runs.step()
    yield GaugeMetricFamily("hromada_in_step_with_stripe", "1 if our ledger and Stripe agree", value=step.is_in_step)
    yield GaugeMetricFamily("hromada_differences_open", "Differences that are open", value=step.differences)
    if step.agreed_at:
        age = (timezone.now() - step.agreed_at).total_seconds()
        yield GaugeMetricFamily("hromada_agreed_with_stripe_seconds", "Since the last complete agreement", value=age)


class _Arrivals(Collector):
    """How events arrive at our webhook, independent of their processing. Events we fetched ourselves do not count."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        events = StripeEvent.objects.filter(is_sync=False, is_listed=False)
        last = events.aggregate(last=Max("received_at"))["last"]
        other_version = Count("pk", filter=~Q(api_version=API_VERSION))
        lag = Max(F("received_at") - F("created_at"), filter=Q(received_at__gt=now - HOUR))
        day = events.filter(received_at__gt=now - 24 * HOUR).aggregate(other_version=other_version, lag=lag)
        if last is not None:
            silence = max(0.0, (now - last).total_seconds())
            yield GaugeMetricFamily("hromada_events_silence_seconds", "Since the last Stripe event arrived", silence)
        slowest = max(0.0, day["lag"].total_seconds()) if day["lag"] else 0.0
        yield GaugeMetricFamily("hromada_events_lag_seconds", "Slowest of the last hour, created to received", slowest)
        title = "Events of another API version in the last day"
        yield GaugeMetricFamily("hromada_events_other_version", title, day["other_version"])


class _Money(Collector):
    """Open cases, the results of payments and Celery's queues. Counts only, never sums of money."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        open_now = Case.objects.filter(settled_at=None).order_by().values_list("kind").annotate(Count("pk"))
        yield _labelled("cases_open", "Cases that are open", "kind", Case.Kind.values, open_now)
        payments = Payment.objects.filter(created_at__gt=clock.now() - 24 * HOUR).order_by()
        counts = payments.values_list("status").annotate(Count("pk"))
        yield _labelled("payments_tried", "Payments of the last day", "status", Payment.Status.values, counts)
        yield from _celery_queues()


def _labelled(
    name: str, title: str, label: str, values: Iterable[str], counts: Iterable[tuple[str, int]]
) -> GaugeMetricFamily:
    """Return the gauge `hromada_<name>` with a number for each label value; 0 for values without a count."""
    family = GaugeMetricFamily(f"hromada_{name}", title, labels=[label])
    for value, number in sorted((dict.fromkeys(values, 0) | dict(counts)).items()):
        family.add_metric([value], number)
    return family


def _celery_queues() -> Iterator[Metric]:
    """Return the length of each Celery queue; nothing while Redis is down, for which there is an alert."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5) as server:
            lengths = [(name, int(server.llen(name))) for name in QUEUES]
    except (redis.RedisError, OSError, ValueError):
        return
    yield _labelled("queue_length", "Celery tasks that wait", "queue", QUEUES, lengths)


class _Watching(Collector):
    """The age of each process's heartbeat (infinite if there was none), and the alerts that fire."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        age = GaugeMetricFamily("hromada_heartbeat_age_seconds", "Since the last heartbeat of each", labels=["name"])
        for name, seconds in heartbeats.ages().items():
            age.add_metric([name], math.inf if seconds is None else seconds)
        yield age
        fires = GaugeMetricFamily("hromada_alert", "1 while an alert fires", labels=["name"])
        firing = watch.firing_now()
        for name in sorted(BY_NAME):
            fires.add_metric([name], float(name in firing))
        yield fires


def _queue(
    name: str, title: str, rows: QuerySet, waiting: Iterable[str], since: str, now: datetime
) -> Iterator[Metric]:
    """Return two metrics of a queue: rows by state, and the age in seconds of the oldest row in a waiting state.

    `since` is the field with a row's start; `now` is of the same clock. With nothing waiting the age is 0.
    """
    found = list(rows.order_by().values_list("state").annotate(number=Count("pk"), oldest=Min(since)))
    count = GaugeMetricFamily(f"hromada_{name}", f"{title} by state", labels=["state"])
    numbers = dict.fromkeys(rows.model.State.values, 0) | {state: number for state, number, _ in found}
    for state, number in sorted(numbers.items()):
        count.add_metric([state], number)
    oldest = min((moment for state, _, moment in found if state in waiting), default=now)
    age = max(0.0, (now - oldest).total_seconds())
    yield count
    yield GaugeMetricFamily(f"hromada_{name}_oldest_waiting_seconds", f"{title}: age of the oldest waiting", value=age)
