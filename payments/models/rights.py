"""Requests to erase a person, the deletion of their customers at Stripe, and runs of what is removed by age.

Written by payments/rights/.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members import clock
from members.models import Supporter
from payments.models.requests import StripeRequest


class Erasure(models.Model):
    """A request to erase a supporter. From `due_at` on it is carried out; until then it can be called off.

    `forgotten_at`: the data here was erased. `has_looked`: customers that attempts without money have made at Stripe
    were looked for. `done_at`: Stripe has accepted every stop and deletion as well.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("waits for a second person")
        PLANNED = "planned", _("planned")
        AT_STRIPE = "at_stripe", _("erased here, Stripe is asked")
        DONE = "done", _("done")
        CALLED_OFF = "called_off", _("called off")

    OPEN = (State.ASKED, State.PLANNED, State.AT_STRIPE)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    supporter = models.ForeignKey(Supporter, on_delete=models.PROTECT, related_name="erasures")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PLANNED)
    surface = models.CharField(_("asked through"), max_length=20)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(_("asked"), default=clock.now)
    due_at = models.DateTimeField(_("due"), default=clock.now)
    forgotten_at = models.DateTimeField(_("erased here"), null=True, blank=True)
    has_looked = models.BooleanField(default=False, editable=False)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["supporter"],
                condition=Q(state__in=["asked", "planned", "at_stripe"]),
                name="one_open_erasure_a_supporter",
            )
        ]
        permissions = [
            ("erase_person", _("Can erase a person, or confirm it")),
            ("export_person", _("Can export all data of a person")),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class CustomerDeletion(StripeRequest):
    """A request to delete a customer at Stripe, sent when the stops of their gifts have been answered."""

    erasure = models.ForeignKey(Erasure, on_delete=models.PROTECT, related_name="deletions")
    stripe_customer_id = models.CharField(max_length=255, unique=True)

    class Meta:
        verbose_name = _("deletion of a customer")
        verbose_name_plural = _("deletions of customers")
        ordering = ["-requested_at", "-pk"]

    def __str__(self) -> str:
        return str(self.public_id)


class RetentionRun(models.Model):
    """A run of the nightly removal of what is old. `counts` holds how many rows each rule dealt with."""

    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    counts = models.JSONField(_("removed"), default=dict)

    class Meta:
        verbose_name = _("removal by age")
        verbose_name_plural = _("removals by age")
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return f"#{self.pk}"
