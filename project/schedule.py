"""The schedule of Celery beat, and the queue of each task. Every task is idempotent and safe to run concurrently.

Celery's default queue is for work that people wait for. `bulk` is for work that takes long or can wait, with a worker
of its own, so that a nightly comparison or ten thousand optional emails never delay a receipt.
"""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

BULK = {"queue": "bulk"}
HEARTBEAT_LIVES_SECONDS = 60  # from a heartbeat task's expiry minus this, the worker knows when beat sent it
# Beat sends at its start everything that became due while it was off. Alerts are judged so much later: by then every
# process has sent a heartbeat again.
JUDGED_AFTER_SECONDS = 30

ROUTES: dict[str, dict[str, str]] = {
    "members.tasks.send_due_relationship_messages": BULK,
    "payments.tasks.bulk_heartbeat": BULK,
    "payments.tasks.run_daily_jobs": BULK,
    "payments.tasks.collect_missed_events": BULK,
    "payments.tasks.compare_with_stripe": BULK,
    "payments.tasks.compare_balance": BULK,
    "payments.tasks.remove_what_is_old": BULK,
}


def _every(seconds: float, task: str, expires: float | None = None) -> dict[str, Any]:
    return {"task": task, "schedule": seconds, **({"options": {"expires": expires}} if expires else {})}


BEAT: dict[str, dict[str, Any]] = {
    "send what is due": _every(20.0, "members.tasks.send_due_messages", 20),
    "send what can wait": _every(20.0, "members.tasks.send_due_relationship_messages", 20),
    "heartbeat": _every(20, "payments.tasks.heartbeat", HEARTBEAT_LIVES_SECONDS),
    "heartbeat of bulk": _every(20, "payments.tasks.bulk_heartbeat", HEARTBEAT_LIVES_SECONDS),
    "alerts": {
        "task": "payments.tasks.judge_alerts",
        "schedule": 60.0,
        "options": {"countdown": JUDGED_AFTER_SECONDS, "expires": JUDGED_AFTER_SECONDS + 60},
    },
    "campaign progress": _every(60.0, "payments.tasks.record_campaign_progress"),
    "unanswered requests": _every(60.0, "payments.tasks.take_up_unanswered_requests"),
    "erasures": _every(60.0, "payments.tasks.carry_out_erasures"),
    "daily": {"task": "payments.tasks.run_daily_jobs", "schedule": crontab(minute=10)},
    "missed events": {
        "task": "payments.tasks.collect_missed_events",
        "schedule": crontab(minute="*/15"),
        "options": {"expires": 900},
    },
    "comparison": {
        "task": "payments.tasks.compare_with_stripe",
        "schedule": crontab(minute=25),
        "options": {"expires": 3600},
    },
    "removal by age": {
        "task": "payments.tasks.remove_what_is_old",
        "schedule": crontab(minute=40),
        "options": {"expires": 3600},
    },
    "balance": {"task": "payments.tasks.compare_balance", "schedule": crontab(minute=20), "options": {"expires": 3600}},
}
