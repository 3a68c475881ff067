"""Celery's doors to the mail: each task makes one call and is safe to run twice at the same time."""

from __future__ import annotations

from celery import shared_task

from members import mail, mail_sending


@shared_task
def send_message(message_id: int) -> None:
    """The wake-up after a commit: this one message, if nobody else has it."""
    message = mail_sending.claim(message_id)
    if message:
        mail_sending.deliver(message)


@shared_task
def send_due_messages() -> None:
    """The sweep, every 20 seconds: whatever is due, with or without a wake-up."""
    if mail_sending.send_due():
        mail.wake_sweep()
