"""Disputes: the supporter's bank takes a gift back, and the newsroom may answer. Written by books/disputes.py."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from payments.models.giving import CURRENCY
from payments.models.money import Payment


class Dispute(models.Model):
    """Stripe's dispute of a payment, as last read from Stripe.

    `withdrawn_amount` is what Stripe has taken from our balance for it and not given back. All amounts are in the
    dispute's own currency: in another one than the payment's, our books have no line of it, and staff have a case.
    """

    class Status(models.TextChoices):
        WARNING_NEEDS_RESPONSE = "warning_needs_response", _("inquiry: the bank asks")
        WARNING_UNDER_REVIEW = "warning_under_review", _("inquiry: the bank reads")
        WARNING_CLOSED = "warning_closed", _("inquiry closed")
        NEEDS_RESPONSE = "needs_response", _("needs an answer")
        UNDER_REVIEW = "under_review", _("with the bank")
        PREVENTED = "prevented", _("prevented")
        WON = "won", _("won")
        LOST = "lost", _("lost")

    OPEN = (
        Status.WARNING_NEEDS_RESPONSE,
        Status.WARNING_UNDER_REVIEW,
        Status.NEEDS_RESPONSE,
        Status.UNDER_REVIEW,
    )

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    stripe_dispute_id = models.CharField(max_length=255, unique=True)
    status = models.CharField(_("status"), max_length=60, choices=Status)
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    amount = models.PositiveBigIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    withdrawn_amount = models.PositiveBigIntegerField(_("taken from us, minor units"), default=0)
    respond_by = models.DateTimeField(_("answer by"), null=True, blank=True)
    created_at = models.DateTimeField(_("opened"))

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=CURRENCY, name="dispute_currency_is_a_code"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="dispute_amount_above_zero"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN
