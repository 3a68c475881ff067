"""Invoices of renewals that Stripe will collect by itself and has not tried yet. Written by books/instalments.py."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.models.giving import Subscription


class UnpaidInvoice(models.Model):
    """An invoice that Stripe has made for a renewal: a draft for about an hour, then collected on `due_at`.

    The row is as Stripe's invoice was last read, and goes when that was tried, paid or voided. `amount` is in minor
    units of `currency`.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="unpaid_invoices")
    stripe_invoice_id = models.CharField(max_length=255, unique=True)
    amount = models.PositiveBigIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    due_at = models.DateTimeField(_("is taken"))

    class Meta:
        verbose_name = _("unpaid invoice")
        verbose_name_plural = _("unpaid invoices")
        ordering = ["due_at", "pk"]

    def __str__(self) -> str:
        return self.stripe_invoice_id
