"""Consents: the exact words a person agreed to, their version and language, where and when. Rows are only added."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from members import clock


class Consent(models.Model):
    purpose = models.CharField(_("purpose"), max_length=40)
    words = models.TextField(_("words shown"))
    words_version = models.CharField(_("version of the words"), max_length=16)
    language = models.CharField(_("language"), max_length=8)
    surface = models.CharField(_("where"), max_length=60)
    given_at = models.DateTimeField(_("when"), default=clock.now)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-given_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.purpose} {self.words_version}"
