"""Comparing with Stripe: each run, and each difference with the person who closed it. Nothing is fixed silently.

Written by payments/reconciling/.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Reconciliation(models.Model):
    """A run: looking for missed events, or comparing all objects, or the balance alone.

    It covers what happened at Stripe from `since` until `until`. `error` says why it stopped early, if it did.
    """

    class Kind(models.TextChoices):
        EVENTS = "events", _("events that never came")
        OBJECTS = "objects", _("object by object")
        BALANCE = "balance", _("the balance alone")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"))
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    looked_at = models.PositiveIntegerField(_("looked at"), default=0)
    found = models.PositiveIntegerField(_("found"), default=0)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        ordering = ["-started_at", "-pk"]
        indexes = [models.Index(fields=["kind", "-started_at"], name="reconciliation_newest")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Difference(models.Model):
    """A field that differs between Stripe (`theirs`) and our database (`ours`); "" means that one side has no value.

    Closed by a person, or by the next comparison that no longer finds it (`gone`).
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        TAKEN = "taken", _("Stripe's taken")
        GONE = "gone", _("gone by itself")
        NOTED = "noted", _("left, with a note")

    kind = models.CharField(_("what"), max_length=40)
    stripe_id = models.CharField(_("object"), max_length=255)
    field = models.CharField(_("field"), max_length=60)
    ours = models.CharField(_("our books"), max_length=255, blank=True)
    theirs = models.CharField(_("Stripe"), max_length=255, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    happened_at = models.DateTimeField(_("when it happened"), default=timezone.now)
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        ordering = ["-found_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "stripe_id", "field"], condition=Q(state="open"), name="one_open_difference_of_a_field"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
