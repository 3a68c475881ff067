"""The numbers behind `/metrics`: events and messages by state and how long the oldest waits, whether Stripe agrees,
what was heard of the processes, which alerts fire.

Read from the database when asked, so every process tells the same. Called by project.health only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Count, F, Max, Min, Q, QuerySet
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from members import clock
from members.models import Message
from payments import heartbeats, reconciliation
from payments.alerts import watch
from payments.alerts.rules import BY_NAME
from payments.models import StripeEvent
from payments.stripe_api.client import API_VERSION

HOUR = timedelta(hours=1)
CONTENT_TYPE = CONTENT_TYPE_LATEST
WAITING_MESSAGES = (Message.State.PENDING, Message.State.SENDING)


def exposition() -> bytes:
    """All numbers in Prometheus' text format. Raises django.db.Error."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Queues())
    registry.register(_Arrivals())
    registry.register(_Watching())
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
        yield from _step()


def _step() -> Iterator[Metric]:
    step = reconciliation.step()
    yield GaugeMetricFamily("hromada_in_step_with_stripe", "1 when our books and Stripe agree", value=step.is_in_step)
    yield GaugeMetricFamily("hromada_differences_open", "Differences nobody has settled", value=step.differences)
    if step.agreed_at:
        age = (timezone.now() - step.agreed_at).total_seconds()
        yield GaugeMetricFamily("hromada_agreed_with_stripe_seconds", "Since the last whole agreement", value=age)


class _Arrivals(Collector):
    """How events come in at our door, whatever becomes of them. What we fetched ourselves is none of them."""

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
            yield GaugeMetricFamily("hromada_events_silence_seconds", "Stripe events: since the last came", silence)
        slowest = max(0.0, day["lag"].total_seconds()) if day["lag"] else 0.0
        yield GaugeMetricFamily("hromada_events_lag_seconds", "Slowest of the last hour, made to received", slowest)
        title = "Of another API version in the last day"
        yield GaugeMetricFamily("hromada_events_other_version", title, day["other_version"])


class _Watching(Collector):
    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        age = GaugeMetricFamily("hromada_heartbeat_age_seconds", "Since each was last heard of", labels=["name"])
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
    found = list(rows.order_by().values_list("state").annotate(number=Count("pk"), oldest=Min(since)))
    count = GaugeMetricFamily(f"hromada_{name}", f"{title} by state", labels=["state"])
    numbers = dict.fromkeys(rows.model.State.values, 0) | {state: number for state, number, _ in found}
    for state, number in sorted(numbers.items()):
        count.add_metric([state], number)
    oldest = min((moment for state, _, moment in found if state in waiting), default=now)
    age = max(0.0, (now - oldest).total_seconds())
    yield count
    yield GaugeMetricFamily(f"hromada_{name}_oldest_waiting_seconds", f"{title}: age of the oldest waiting", value=age)
