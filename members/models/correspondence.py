"""A message: one email we owe someone. Written in the transaction of its cause, rendered and sent after it."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members import clock
from members.models.people import Supporter


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, at: datetime | None = None) -> MessageQuerySet:
        """Waiting and due, or left behind by a sender whose lease ran out. Real time: this is a queue, not a date."""
        at = at or timezone.now()
        waiting = Q(state=Message.State.PENDING, next_try_at__lte=at)
        return self.filter(waiting | Q(state=Message.State.SENDING, lease_until__lt=at))


class Message(models.Model):
    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("unknown")
        CANCELED = "canceled", _("canceled")

    kind = models.CharField(_("kind"), max_length=60)
    key = models.CharField(_("key"), max_length=200, unique=True)
    supporter = models.ForeignKey(Supporter, null=True, blank=True, on_delete=models.PROTECT, related_name="messages")
    to_email = models.EmailField(_("to"), max_length=254)
    language = models.CharField(_("language"), max_length=8)
    context = models.JSONField(_("facts"), default=dict)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    unanswered = models.PositiveSmallIntegerField(
        _("handed over without an answer"),
        default=0,
        editable=False,
        help_text=_("How often the mail server got the whole message and never said what it did with it."),
    )
    error = models.TextField(_("error"), blank=True)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    body_text = models.TextField(blank=True)
    body_html = models.TextField(blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["next_try_at"], name="message_due", condition=Q(state__in=["pending", "sending"])),
            models.Index(fields=["supporter", "-created_at"], name="message_of_supporter"),
            models.Index(fields=["-created_at"], name="message_newest"),
            models.Index(fields=["state"], name="message_in_trouble", condition=Q(state__in=["failed", "unknown"])),
        ]

    def __str__(self) -> str:
        return self.key
