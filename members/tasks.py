"""Celery's doors to the mail: each task makes one call and is safe to run twice at the same time."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from members.mail import outbox as mail
from members.mail import pace
from members.mail import sending as mail_sending
from members.mail import sweep as mail_sweep


@shared_task
def send_message(message_id: int) -> None:
    """The wake-up after a commit: this one message, if nobody else has it."""
    pace.wait()
    message = mail_sending.claim(message_id)
    if message:
        mail_sending.deliver(message)


@shared_task
def send_due_messages() -> None:
    """The sweep over letters to staff and about money, every 20 seconds: whatever is due, with or without a wake-up."""
    if mail_sweep.send_due(streams=mail_sending.SERVICE, senders=settings.MAIL_SENDERS):
        mail.wake_sweep()


@shared_task
def send_due_relationship_messages() -> None:
    """The same for letters that are a choice, on the queue of work that can wait."""
    if mail_sweep.send_due(streams=mail_sending.RELATIONSHIP, senders=settings.MAIL_SENDERS):
        mail.wake_sweep(mail.BULK)
