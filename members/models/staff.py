"""Data about the people who work at the desk, beside their user: sessions, recovery codes, searches.

And the log of what they did and read. The rules are in members/staff/.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StaffAccount(models.Model):
    """The count of how often all sessions of a user were ended: a session that began under a lower count is over."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="staff_account"
    )
    sessions_ended = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"#{self.pk}"


class RecoveryCode(models.Model):
    """A code that replaces the second factor once. Only its hash is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    hashed_code = models.CharField(max_length=64, editable=False)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "hashed_code"], name="recovery_code_once_a_user")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class StoredSearch(models.Model):
    """The words that a user searched for in one list, for a few hours. Addresses hold its short id, never the words."""

    id = models.CharField(primary_key=True, max_length=20)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=80)
    term = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="stored_search_age")]

    def __str__(self) -> str:
        return self.id


class StaffLogEntry(models.Model):
    """An act or a read of staff. Rows are only added: a database trigger refuses every change.

    It holds ids and keyed hashes, never a name or an address, so that erasing a person needs no change of it. `actor`,
    `target_id` and `person` are plain numbers: their rows may be gone. `digest` is a keyed hash of the row and of the
    digest before it.
    """

    happened_at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.BigIntegerField(_("who"), null=True)
    action = models.CharField(_("what"), max_length=60)
    target = models.CharField(max_length=60, blank=True)
    target_id = models.CharField(max_length=80, blank=True)
    person = models.BigIntegerField(_("person"), null=True)
    details = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("log entry")
        verbose_name_plural = _("log of staff")
        ordering = ["-pk"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["person", "-id"], name="staff_log_person"),
            models.Index(fields=["actor", "-id"], name="staff_log_actor"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
