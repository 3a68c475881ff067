"""Celery tasks about money. Each makes one call, is idempotent and safe to run concurrently.

project/schedule.py says when beat sends them, and to which queue.
"""

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
from payments.recurring import method_changes, overdue, unanswered
from payments.rights import ageing, erasing

# Reading Stripe's lists takes longer the more there is. A run that is lost is not repeated: the next one comes soon.
LONG: dict[str, Any] = {"acks_late": False, "soft_time_limit": 3 * 3600, "time_limit": 3 * 3600 + 60}


@shared_task
def run_daily_jobs() -> None:
    """Run the daily jobs. Sent every hour, so that reminders still go out on a day on which beat was down."""
    daily.run()


@shared_task
def record_campaign_progress() -> None:
    """Store how much each running campaign has raised. Sent every minute."""
    progress.record_all()


@shared_task
def take_up_unanswered_requests() -> None:
    """Retry requests that Stripe never answered. Sent every minute."""
    unanswered.retry()


@shared_task
def carry_out_erasures() -> None:
    """Erase people whose erasing is due, and ask Stripe again what it has not answered. Sent every minute."""
    erasing.carry_out_due()


@shared_task
def carry_out_erasure(row_id: int) -> None:
    """Ask Stripe what an erasing needs. Sent when the erasure with this id was confirmed."""
    erasing.carry_out_by_id(row_id)


@shared_task(**LONG)
def remove_what_is_old() -> None:
    """Remove what is older than the settings say, once per night. Sent every hour, so that a failed run is repeated."""
    if ageing.is_due():
        ageing.run()


@shared_task
def set_payment_method(row_id: int) -> None:
    """Pay a subscription from its new card or account. Sent when the MethodChange with this id was created."""
    method_changes.ask_by_id(row_id)


@shared_task
def try_overdue_payment(row_id: int) -> None:
    """Try an overdue payment with the new card or bank account. Sent when the OverdueTry with this id was created."""
    overdue.ask_by_id(row_id)


@shared_task(**LONG)
def collect_missed_events() -> None:
    """Fetch events that Stripe created but did not deliver. Sent every quarter of an hour."""
    missed_events.collect()


@shared_task(**LONG)
def compare_with_stripe() -> None:
    """Compare with Stripe object by object, once per night. Sent every hour, so that a failed night is repeated."""
    if comparison.is_due():
        comparison.run()


@shared_task(**LONG)
def compare_balance() -> None:
    """Compare Stripe's balance with our ledger, from the last time both agreed. Sent every hour."""
    hourly.run()


@shared_task
def judge_alerts() -> None:
    """Check the alert rules and email staff about changes. Sent every minute; the drain does the same by itself."""
    watch.judge()


@shared_task(bind=True)
def heartbeat(self: Any) -> None:
    """Record signs of life of the worker (this task runs) and of beat (it was sent). Sent every 20 seconds."""
    heartbeats.beat("worker")
    if expires := self.request.expires:
        moment = expires if isinstance(expires, datetime) else datetime.fromisoformat(expires)
        heartbeats.beat("beat", moment - timedelta(seconds=settings.HEARTBEAT_LIVES_SECONDS))


@shared_task
def bulk_heartbeat() -> None:
    """Record a sign of life of the worker of the queue for long jobs, on which this task is sent."""
    heartbeats.beat("bulk")
