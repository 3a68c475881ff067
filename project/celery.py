"""Celery: renders and sends mail, runs the daily jobs. Tasks are wake-ups; the tables say what is owed."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("hromada")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["members", "payments"])
