"""Tombstones: keyed hashes by which data of an erased person is recognised, should it come back.

Written and read by members/rights/tombstones.py. Rows are only added.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from members import clock


class Tombstone(models.Model):
    """A keyed hash of the address, or of an id at Stripe, of a person who was erased.

    `supporter_public_id` names the supporter's row, which stays without a name or an address. It finds that row in a
    restored backup.
    """

    class Kind(models.TextChoices):
        ADDRESS = "address", _("address")
        STRIPE = "stripe", _("id at Stripe")

    kind = models.CharField(_("of what"), max_length=10, choices=Kind)
    mark = models.CharField(_("keyed hash"), max_length=64)
    supporter_public_id = models.UUIDField()
    erased_at = models.DateTimeField(_("erased"), default=clock.now)

    class Meta:
        verbose_name = _("tombstone")
        verbose_name_plural = _("tombstones")
        ordering = ["-erased_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["mark", "supporter_public_id"], name="one_tombstone_a_mark")]

    def __str__(self) -> str:
        return f"#{self.pk}"
