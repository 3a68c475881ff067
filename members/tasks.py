"""Celery's doors to the mail: each task makes one call and is safe to run twice at the same time."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from members.mail import outbox, pace, sending, sweep


@shared_task
def send_message(message_id: int) -> None:
    """The wake-up after a commit: this one message, if nobody else has it."""
    pace.wait()
    message = sending.claim(message_id)
    if message:
        sending.deliver(message)


@shared_task
def send_due_messages() -> None:
    """The sweep over letters to staff and about money, every 20 seconds: whatever is due, with or without a wake-up."""
    if sweep.send_due(streams=sending.SERVICE, senders=settings.MAIL_SENDERS):
        outbox.wake_sweep()


@shared_task
def send_due_relationship_messages() -> None:
    """The same for letters that are a choice, on the queue of work that can wait."""
    if sweep.send_due(streams=sending.RELATIONSHIP, senders=settings.MAIL_SENDERS):
        outbox.wake_sweep(outbox.BULK)
