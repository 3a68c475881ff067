"""API keys of the newsroom's other servers. Only a hash is stored; members/api_keys.py creates and checks keys."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from members import clock


class ApiKey(models.Model):
    name = models.CharField(_("name"), max_length=80)
    scope = models.CharField(_("scope"), max_length=40)
    hashed_key = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=clock.now)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name
