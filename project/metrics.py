"""The numbers behind `/metrics`: events and messages by state, how long the oldest waits, whether Stripe agrees.

Read from the database when asked, so every process tells the same. Three queries. Called by project.health only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Count, Min, QuerySet
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from members import clock
from members.models import Message
from payments import reconciliation
from payments.models import StripeEvent

CONTENT_TYPE = CONTENT_TYPE_LATEST
WAITING_MESSAGES = (Message.State.PENDING, Message.State.SENDING)


def exposition() -> bytes:
    """All numbers in Prometheus' text format. Raises django.db.Error."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Queues())
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
