"""Stripe's payouts to the newsroom's bank, and the balance lines in each. Written by payments/books/payouts.py."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.models.giving import CURRENCY
from payments.models.money import LedgerEntry


class Payout(models.Model):
    """A payout, as last read from Stripe. `unexplained` is its amount less the net of its lines: 0 if it adds up."""

    class Status(models.TextChoices):
        PENDING = "pending", _("on its way")
        IN_TRANSIT = "in_transit", _("with the bank")
        PAID = "paid", _("arrived")
        FAILED = "failed", _("failed")
        CANCELED = "canceled", _("canceled")

    stripe_payout_id = models.CharField(max_length=255, unique=True)
    status = models.CharField(_("status"), max_length=60, choices=Status)
    is_automatic = models.BooleanField(_("automatic"), default=True)
    amount = models.BigIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    arrives_on = models.DateField(_("arrives on"))
    failure_code = models.CharField(_("why it failed"), max_length=60, blank=True)
    created_at = models.DateTimeField(_("made"))
    unexplained = models.BigIntegerField(_("unexplained, minor units"), null=True, blank=True)
    compared_at = models.DateTimeField(_("tied to its lines"), null=True, blank=True)

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        ordering = ["-created_at", "-pk"]
        constraints = [models.CheckConstraint(condition=CURRENCY, name="payout_currency_is_a_code")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class PayoutLine(models.Model):
    """A balance transaction in a payout. `ledger_entry` is our settlement entry for it, if it has one.

    `whose` says who caused it: this installation, other software on the Stripe account, or Stripe itself.
    """

    class Whose(models.TextChoices):
        OURS = "ours", _("ours")
        OTHERS = "others", _("of others on the account")
        STRIPE = "stripe", _("Stripe’s own")

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="lines")
    stripe_balance_transaction_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(_("type"), max_length=60)
    source = models.CharField(_("source"), max_length=255, blank=True)
    amount = models.BigIntegerField(_("amount, minor units"))
    fee = models.BigIntegerField(_("fee, minor units"))
    net = models.BigIntegerField(_("net, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    occurred_at = models.DateTimeField(_("when it happened"))
    whose = models.CharField(_("whose"), max_length=10, choices=Whose, db_default=Whose.OTHERS)
    ledger_entry = models.OneToOneField(
        LedgerEntry, null=True, blank=True, on_delete=models.PROTECT, related_name="payout_line"
    )

    class Meta:
        verbose_name = _("line of a payout")
        verbose_name_plural = _("lines of payouts")
        ordering = ["occurred_at", "pk"]
        constraints = [models.CheckConstraint(condition=CURRENCY, name="payout_line_currency_is_a_code")]

    def __str__(self) -> str:
        return self.stripe_balance_transaction_id
