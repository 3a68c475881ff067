"""The inbox: every event that Stripe sent, stored once, processed by `manage.py drain`. The table is the queue."""

from __future__ import annotations

import json
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _


class StripeEventQuerySet(models.QuerySet["StripeEvent"]):
    def has_live(self) -> bool:
        """Return whether a live event was processed here: our objects are of Stripe's live mode then."""
        return self.filter(state=StripeEvent.State.PROCESSED, is_livemode=True).exists()


class StripeEvent(models.Model):
    """An event from Stripe. `payload` holds the bytes as received, because bytes can always be stored.

    A row with `is_sync` was made here: it asks to read an object from Stripe again, and is processed like an event.
    `failures` counts tries that failed by an error of this software; `attempts` counts all tries.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("received")
        PROCESSED = "processed", _("processed")
        IGNORED = "ignored", _("ignored")
        FOREIGN = "foreign", _("foreign")
        PARKED = "parked", _("parked")
        FAILED = "failed", _("failed, tried again")
        DEAD = "dead", _("dead")

    WAITING = (State.PENDING, State.PARKED, State.FAILED)

    id = models.CharField(primary_key=True, max_length=255)
    type = models.CharField(_("type"), max_length=100)
    account = models.CharField(max_length=255, blank=True)
    is_livemode = models.BooleanField(_("live"), default=False)
    is_sync = models.BooleanField(_("our own read"), default=False)
    is_listed = models.BooleanField(_("found in Stripe's list"), default=False, db_default=False)
    api_version = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(_("made by Stripe"))
    payload = models.BinaryField()
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    failures = models.PositiveSmallIntegerField(_("failed by itself"), default=0, db_default=0)
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(_("error"), blank=True)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    processed_at = models.DateTimeField(_("worked"), null=True, blank=True)
    trimmed_at = models.DateTimeField(_("payload trimmed"), null=True, blank=True)

    objects = StripeEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("Stripe event")
        verbose_name_plural = _("Stripe events")
        ordering = ["-received_at", "-id"]
        indexes = [
            models.Index(
                fields=["next_try_at"], name="event_due", condition=Q(state__in=["pending", "parked", "failed"])
            ),
            models.Index(fields=["-received_at"], name="event_newest"),
            models.Index(
                fields=["received_at"],
                name="event_to_trim",
                condition=Q(trimmed_at=None, state__in=["processed", "ignored", "foreign"]),
            ),
            models.Index(fields=["state", "-received_at"], name="event_by_state"),
        ]

    def __str__(self) -> str:
        return self.id

    @cached_property
    def body(self) -> dict[str, Any]:
        """Return the parsed payload. Raises ValueError if it is not JSON."""
        parsed: dict[str, Any] = json.loads(bytes(self.payload))
        return parsed

    @property
    def object(self) -> dict[str, Any]:
        """Return the object that the event is about, as Stripe rendered it when it made the event."""
        found: dict[str, Any] = self.body["data"]["object"]
        return found
