"""Celery tasks that send email. Each is idempotent and safe to run concurrently; members/mail/ does the work."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from members.mail import outbox, pace, sending, sweep


@shared_task
def send_message(message_id: int) -> None:
    """Send this message now, unless another sender has claimed it. Called after the commit that queued it."""
    pace.wait()
    message = sending.claim(message_id)
    if message:
        sending.deliver(message)


@shared_task
def send_due_messages() -> None:
    """Send due service emails and emails to staff. Runs every 20 seconds, so a lost wake-up costs no more."""
    if sweep.send_due(streams=sending.SERVICE, senders=settings.MAIL_SENDERS):
        outbox.wake_sweep()


@shared_task
def send_due_relationship_messages() -> None:
    """Send due relationship emails (the optional ones). Runs on the queue `bulk`."""
    if sweep.send_due(streams=sending.RELATIONSHIP, senders=settings.MAIL_SENDERS):
        outbox.wake_sweep(outbox.BULK)
