"""Refunds above the limit, which wait for a second colleague. The rule is payments/books/refund_limits.py."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members import clock
from payments.models.requests import RefundRequest


class HeldRefund(models.Model):
    """A refund as it was filled in; a colleague confirms or declines it. `amount` is in minor units of the payment's
    currency. `public_id` becomes the id of the refund request, so that confirming twice refunds once.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for a colleague")
        CONFIRMED = "confirmed", _("confirmed")
        DECLINED = "declined", _("declined")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payment = models.ForeignKey("payments.Payment", on_delete=models.PROTECT, related_name="held_refunds")
    amount = models.PositiveBigIntegerField(_("amount, minor units"))
    reason = models.CharField(_("reason"), max_length=30, choices=RefundRequest.Reason)
    sentence = models.CharField(_("a sentence to the supporter"), max_length=300, blank=True)
    tells_supporter = models.BooleanField(_("tell the supporter"), default=True)
    also_stops = models.BooleanField(_("stop the regular gift"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("asked"), default=clock.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("refund that waits")
        verbose_name_plural = _("refunds that wait")
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="held_refund_above_zero"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(state="waiting"), name="one_waiting_refund_a_payment"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=models.F("asked_by")) | Q(state="declined"),
                name="held_refund_has_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
