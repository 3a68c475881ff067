"""Alerts: which rules of payments/alerts/rules.py fire now, since when, and when staff were last emailed.

Also here: faults of our key at Stripe that no other row shows, which one of the rules looks at.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Alert(models.Model):
    """The state of a rule that has fired at least once. Its row is locked while staff are emailed, so that several
    processes that check the rules send one email.
    """

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


class KeyFault(models.Model):
    """Work that Stripe refused our key for, as it was last tried. Written by payments/key_faults.py."""

    work = models.CharField(primary_key=True, max_length=40)
    reason = models.CharField(_("reason"), max_length=200)
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("fault of our key")
        verbose_name_plural = _("faults of our key")

    def __str__(self) -> str:
        return self.work
