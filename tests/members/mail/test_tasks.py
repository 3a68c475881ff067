"""Celery's settings that the promises about email depend on; and that beat and wake-ups call tasks that exist."""

from __future__ import annotations

from django.conf import settings

from members import tasks
from project.celery import app


def test_a_lost_worker_loses_no_task_and_redis_redelivers_soon() -> None:
    conf = app.conf
    assert conf.task_acks_late is True
    assert conf.task_reject_on_worker_lost is True
    assert conf.worker_prefetch_multiplier == 1
    assert conf.worker_soft_shutdown_timeout > 0
    assert conf.accept_content == ["json"]
    assert conf.task_time_limit < conf.broker_transport_options["visibility_timeout"] <= 300


def test_one_sending_fits_into_a_task() -> None:
    assert app.conf.task_soft_time_limit >= 5 * settings.EMAIL_TIMEOUT


def test_what_takes_long_or_can_wait_is_on_a_queue_of_its_own() -> None:
    entries = settings.CELERY_BEAT_SCHEDULE.values()
    scheduled = {entry["task"] for entry in entries}
    bulk = {name for name, route in settings.CELERY_TASK_ROUTES.items() if route["queue"] == "bulk"}
    assert bulk <= scheduled, "beat starts each of them, so no route is left over"
    assert {"payments.tasks.compare_with_stripe", "payments.tasks.run_daily_jobs"} <= bulk
    prompt = scheduled - bulk
    assert {"members.tasks.send_due_messages", "payments.tasks.judge_alerts"} <= prompt
    app.loader.import_default_modules()
    assert scheduled <= set(app.tasks), "beat starts tasks that exist"


def test_the_sweep_comes_every_twenty_seconds() -> None:
    name = tasks.send_due_messages.name
    entries = [entry for entry in settings.CELERY_BEAT_SCHEDULE.values() if entry["task"] == name]
    assert [entry["schedule"] for entry in entries] == [20.0]


def test_the_tasks_have_the_names_they_are_called_by() -> None:
    assert tasks.send_message.name == "members.tasks.send_message"
    assert tasks.send_due_messages.name == "members.tasks.send_due_messages"
