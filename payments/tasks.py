"""Celery's doors to money: each task makes one call and is safe to run twice at the same time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from django.conf import settings

from payments import daily, heartbeats, progress, unanswered


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
    unanswered.take_up()


@shared_task(bind=True)
def heartbeat(self: Any) -> None:
    """Every 20 seconds: that it was sent proves beat, that it runs proves a worker."""
    heartbeats.beat("worker")
    if expires := self.request.expires:
        moment = expires if isinstance(expires, datetime) else datetime.fromisoformat(expires)
        heartbeats.beat("beat", moment - timedelta(seconds=settings.HEARTBEAT_EXPIRES_SECONDS))
