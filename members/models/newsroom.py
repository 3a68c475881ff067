"""The newsroom's settings as staff set them: each saving is a version of its own, and the newest one counts."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from members import clock


class Newsroom(models.Model):
    """A version of the settings. `values` holds those that staff set, under their names in the environment.

    A setting that is not in `values` has the environment's value. Versions are added, never edited; see
    members/newsroom/ for their meaning.
    """

    version = models.PositiveIntegerField(_("version"), unique=True)
    values = models.JSONField(default=dict)
    why = models.CharField(_("why"), max_length=200, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("changed by")
    )
    changed_at = models.DateTimeField(_("changed"), default=clock.now)

    class Meta:
        verbose_name = _("newsroom settings")
        verbose_name_plural = _("newsroom settings")
        ordering = ["-version"]

    def __str__(self) -> str:
        return str(_("version %(number)d") % {"number": self.version})
