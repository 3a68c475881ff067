"""Celery's doors to money: each task makes one call and is safe to run twice at the same time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from django.conf import settings

from payments import daily, heartbeats
from payments.alerts import watch
from payments.books import progress
from payments.reconciling import comparison, missed_events
from payments.reconciling.comparison import hourly
from payments.recurring import overdue, unanswered

# Looking through Stripe's lists takes as long as they are long. A run that is lost is begun anew by the next schedule.
LONG: dict[str, Any] = {"acks_late": False, "soft_time_limit": 3 * 3600, "time_limit": 3 * 3600 + 60}


@shared_task
def run_daily_jobs() -> None:
    """Hourly, because a day without beat must not become a day without reminders."""
    daily.run()


@shared_task
def record_campaign_progress() -> None:
    """Every minute: how far each running campaign has come."""
    progress.record_all()


@shared_task
def take_up_unanswered_requests() -> None:
    """Every minute: what Stripe never answered is asked again."""
    unanswered.retry()


@shared_task
def try_overdue_payment(row_id: int) -> None:
    """Woken when another card or bank was put in place for a payment that is overdue."""
    overdue.ask_by_id(row_id)


@shared_task(**LONG)
def collect_missed_events() -> None:
    """Every quarter of an hour: events that Stripe made and that never came."""
    missed_events.collect()


@shared_task(**LONG)
def compare_with_stripe() -> None:
    """Hourly, because a night on which Stripe did not answer is made up for in the morning."""
    if comparison.is_due():
        comparison.run()


@shared_task(**LONG)
def compare_balance() -> None:
    """Every hour: the balance alone, since we last agreed."""
    hourly.run()


@shared_task
def judge_alerts() -> None:
    """Every minute: what is wrong, and who is to be told. The drain does the same, for when no worker lives."""
    watch.judge()


@shared_task(bind=True)
def heartbeat(self: Any) -> None:
    """Every 20 seconds: that it was sent proves beat, that it runs proves a worker."""
    heartbeats.beat("worker")
    if expires := self.request.expires:
        moment = expires if isinstance(expires, datetime) else datetime.fromisoformat(expires)
        heartbeats.beat("beat", moment - timedelta(seconds=settings.HEARTBEAT_LIVES_SECONDS))


@shared_task
def bulk_heartbeat() -> None:
    """The same on the queue of work that can wait: that it runs proves the worker of that queue."""
    heartbeats.beat("bulk")
