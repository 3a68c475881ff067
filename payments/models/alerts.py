"""Alerts: which rules of payments/alerts/rules.py fire now, since when, and when staff were last told."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Alert(models.Model):
    """One row a rule that has ever fired. Whoever holds its lock tells; so several watchers tell once."""

    name = models.CharField(_("alert"), primary_key=True, max_length=40)
    since = models.DateTimeField(_("since"), null=True, blank=True)
    ended_at = models.DateTimeField(_("over at"), null=True, blank=True)
    told_at = models.DateTimeField(_("staff told at"), null=True, blank=True)
    facts = models.JSONField(_("facts"), default=dict)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")

    def __str__(self) -> str:
        return self.name

    @property
    def is_firing(self) -> bool:
        return self.since is not None and self.ended_at is None
