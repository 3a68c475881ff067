"""The Celery app: sends email and runs the scheduled jobs (project/schedule.py).

Tasks only wake the code up; the tables hold the work to do, so a lost task loses nothing. Every task may run twice.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("hromada")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    broker_transport_options={
        "visibility_timeout": 300,
        "socket_timeout": 3,
        "socket_connect_timeout": 1,
        "retry_on_timeout": False,
        "max_retries": 0,  # otherwise, without Redis, a wake-up delays a reader's request by six seconds
    },
    broker_connection_retry_on_startup=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=240,
    task_soft_time_limit=200,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=20,
    worker_hijack_root_logger=False,  # a worker's lines are written by LOGGING, without personal data
)
app.autodiscover_tasks(["members", "payments"])
