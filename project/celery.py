"""The Celery app: sends email and runs the scheduled jobs (project/schedule.py).

Tasks only wake the code up; the tables hold the work to do, so a lost task loses nothing.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("hromada")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["members", "payments"])
