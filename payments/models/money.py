"""Money that moved or tried to: payments, refunds and the ledger. Written by payments/books/.

Constraints of the database guard these rows; ledger entries are added, never edited. All amounts are integers in minor
units of the row's currency, with Stripe's exponents.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members import clock
from members.models import Supporter
from payments import money, rhythms
from payments.models.giving import CURRENCY, Attributed, Checkout, Frequency, Subscription

# The rest of a payment in minor units: not refunded by the newsroom and not taken back by a bank.
KEPT = F("amount") - F("refunded_amount") - F("disputed_amount")


# How `method` of a bank debit begins, as in "SEPA 3000": the schemes that stripe_api/means.py names.
DEBITS = ("ACH", "BECS", "Bacs", "NZ BECS", "PAD", "SEPA")


def is_debit(method: str) -> bool:
    """Return whether a payment method in words, such as "Bacs 2345", is an account that is debited."""
    return method.rstrip("0123456789 ") in DEBITS


class Payment(Attributed):
    """A payment, received, on its way or failed; recorded once per PaymentIntent (one-off) or Invoice (recurring).

    `monthly_amount` is what its invoice billed for the gift per month, in minor units: the level follows it, whatever
    part was paid from credit and whatever else was on the bill. None where `amount` and `frequency` say it.
    """

    class Status(models.TextChoices):
        PROCESSING = "processing", _("with the bank")
        SUCCEEDED = "succeeded", _("received")
        FAILED = "failed", _("failed")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    supporter = models.ForeignKey(Supporter, on_delete=models.PROTECT, related_name="payments")
    checkout = models.ForeignKey(Checkout, null=True, blank=True, on_delete=models.PROTECT, related_name="payments")
    subscription = models.ForeignKey(
        Subscription, null=True, blank=True, on_delete=models.PROTECT, related_name="payments"
    )
    frequency = models.CharField(_("frequency"), max_length=5, choices=Frequency)
    status = models.CharField(_("status"), max_length=10, choices=Status)
    amount = models.PositiveBigIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    refunded_amount = models.PositiveBigIntegerField(_("refunded, minor units"), default=0)
    disputed_amount = models.PositiveBigIntegerField(_("taken by disputes, minor units"), default=0)
    stripe_customer_id = models.CharField(max_length=255, blank=True)
    stripe_payment_intent_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    stripe_invoice_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    stripe_charge_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    method = models.CharField(_("paid from"), max_length=60, blank=True)
    failure_code = models.CharField(_("why it failed"), max_length=60, blank=True)
    failures = models.PositiveSmallIntegerField(_("failed tries"), default=0)
    failing_since = models.DateTimeField(_("has failed since"), null=True, blank=True)
    next_attempt_at = models.DateTimeField(_("next try"), null=True, blank=True)
    paid_through = models.DateField(_("pays through"), null=True, blank=True)
    monthly_amount = models.PositiveBigIntegerField(_("billed a month, minor units"), null=True, blank=True)
    goes_back = models.BooleanField(_("goes back when it has come"), default=False, editable=False)
    created_at = models.DateTimeField(_("made"), default=clock.now)
    paid_at = models.DateTimeField(_("received"), null=True, blank=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        permissions = [
            ("see_figures", _("See the figures of the desk")),
            ("refund_without_limit", _("Refund above the limit of Support")),
        ]
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=CURRENCY, name="payment_currency_is_a_code"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_above_zero"),
            models.CheckConstraint(condition=Q(refunded_amount__lte=F("amount")), name="payment_refunds_within_amount"),
            models.CheckConstraint(
                condition=Q(status="succeeded", paid_at__isnull=False) | ~Q(status="succeeded"),
                name="payment_received_has_a_date",
            ),
            models.CheckConstraint(
                condition=Q(stripe_payment_intent_id__isnull=False) | Q(stripe_invoice_id__isnull=False),
                name="payment_names_its_source",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="payment_newest"),
            models.Index(fields=["campaign", "status"], name="payment_of_campaign"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def rhythm(self) -> str:
        """Return how often it recurs, as plain text; rhythms.PART if its sum is not the price of a period."""
        if self.frequency == Frequency.ONCE or self.subscription is None:
            return self.frequency
        if self.is_part:
            return rhythms.PART
        return self.subscription.rhythm if self.frequency == Frequency.OTHER else self.frequency

    @property
    def is_part(self) -> bool:
        """Return whether it is more or less than the price: by credit, discount, tax, or a change in the middle."""
        if self.monthly_amount is None or self.frequency not in (Frequency.MONTH, Frequency.YEAR):
            return False
        return self.monthly_amount != money.monthly(self.amount, self.frequency)

    @property
    def is_recovered(self) -> bool:
        """Return whether it was received after at least one failed try."""
        return self.status == self.Status.SUCCEEDED and self.failures > 0

    @property
    def is_debit(self) -> bool:
        """Return whether it is a bank debit, which the bank can take back weeks later."""
        return is_debit(self.method)

    @property
    def is_outside_stripe(self) -> bool:
        """Return whether staff marked its invoice as paid at Stripe: it has no charge and no refunds."""
        return self.status == self.Status.SUCCEEDED and not self.stripe_charge_id

    @property
    def is_fully_refunded(self) -> bool:
        return self.status == self.Status.SUCCEEDED and self.refunded_amount == self.amount


class Refund(models.Model):
    """Stripe's refund of a payment, as last read from Stripe. Ledger entries record how it changed the balance."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        REQUIRES_ACTION = "requires_action", _("requires action")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELED = "canceled", _("canceled")

    TAKES_MONEY = (Status.PENDING, Status.SUCCEEDED)

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    stripe_refund_id = models.CharField(max_length=255, unique=True)
    status = models.CharField(_("status"), max_length=60, choices=Status, blank=True)
    amount = models.PositiveBigIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    failure_reason = models.CharField(_("why it failed"), max_length=60, blank=True)
    created_at = models.DateTimeField(_("made"))

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=CURRENCY, name="refund_currency_is_a_code"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_above_zero"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class LedgerEntry(models.Model):
    """A signed amount of money. `source` names its cause and is unique. A database trigger refuses every change.

    `amount` is the sum given, refunded or disputed, in the supporter's currency. The settled amount, fee and rate come
    from Stripe later, so they are an entry of their own (kind `settlement`, amount 0) that `settles` the first one. The
    fee of a dispute that Stripe takes by itself settles nothing, and its settled amount is what it took (negative).
    """

    class Kind(models.TextChoices):
        CHARGE = "charge", _("received")
        REFUND = "refund", _("refunded")
        REFUND_RETURNED = "refund_returned", _("refund came back")
        DISPUTE = "dispute", _("taken by a dispute")
        DISPUTE_RETURNED = "dispute_returned", _("dispute won back")
        SETTLEMENT = "settlement", _("settled by Stripe")
        DISPUTE_FEE = "dispute_fee", _("fee of a dispute")

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="ledger_entries")
    refund = models.ForeignKey(Refund, null=True, blank=True, on_delete=models.PROTECT, related_name="ledger_entries")
    settles = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="settlement", verbose_name=_("settles")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    source = models.CharField(_("source"), max_length=255, unique=True)
    amount = models.BigIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    settled_amount = models.BigIntegerField(_("settled, minor units"), null=True, blank=True)
    settled_currency = models.CharField(_("settled in"), max_length=3, blank=True)
    fee = models.BigIntegerField(_("fee, minor units"), null=True, blank=True)
    exchange_rate = models.DecimalField(_("rate"), max_digits=18, decimal_places=9, null=True, blank=True)
    occurred_at = models.DateTimeField(_("when it happened"))
    recorded_at = models.DateTimeField(_("when recorded"), default=clock.now)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        ordering = ["-occurred_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=CURRENCY, name="ledger_currency_is_a_code"),
            models.CheckConstraint(
                condition=Q(kind="charge", amount__gt=0)
                | Q(kind="refund", amount__lt=0)
                | Q(kind="refund_returned", amount__gt=0)
                | Q(kind="dispute", amount__lt=0)
                | Q(kind="dispute_returned", amount__gt=0)
                | Q(kind__in=("settlement", "dispute_fee"), amount=0),
                name="ledger_sign_follows_kind",
            ),
            models.CheckConstraint(
                condition=(Q(kind="settlement", settles__isnull=False) | Q(kind="dispute_fee", settles=None))
                & Q(settled_amount__isnull=False, fee__isnull=False, settled_currency__regex="^[A-Z]{3}$")
                | ~Q(kind__in=("settlement", "dispute_fee"))
                & Q(settles=None, settled_amount=None, fee=None, settled_currency=""),
                name="ledger_settlement_is_whole",
            ),
        ]
        indexes = [models.Index(fields=["-occurred_at"], name="ledger_newest")]

    def __str__(self) -> str:
        return self.source
