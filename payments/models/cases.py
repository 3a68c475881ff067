"""Cases: problems that the software noticed and a person must decide. Opened and closed by payments/cases.py."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members import clock
from members.models import Supporter


class Case(models.Model):
    """A problem for staff, such as a gift that was paid twice. `key` names its cause: one case per cause."""

    class Kind(models.TextChoices):
        DUPLICATE_PAYMENT = "duplicate_payment", _("paid twice?")
        DUPLICATE_SUBSCRIPTION = "duplicate_subscription", _("two subscriptions")
        AMOUNT_MISMATCH = "amount_mismatch", _("Stripe took another amount than was agreed")
        REMINDER_LATE = "reminder_late", _("a yearly reminder is late")
        DISPUTE = "dispute", _("a bank took a gift back")
        PAYMENT_AFTER_END = "payment_after_end", _("money came after the end")
        RENEWAL_MISSED = "renewal_missed", _("a renewal did not come")
        INVOICE_PROBLEM = "invoice_problem", _("an invoice needs a person")
        METHOD_PROBLEM = "method_problem", _("a card or mandate is gone")
        EMAIL_DIFFERS = "email_differs", _("another address was written down at Stripe")
        PAYOUT_UNEXPLAINED = "payout_unexplained", _("a payout does not add up")
        PAYOUT_NOT_BOOKED = "payout_not_booked", _("a payout holds money that our books lack")
        REQUEST_UNANSWERED = "request_unanswered", _("Stripe did not answer a request of ours")
        REQUEST_REFUSED = "request_refused", _("Stripe refused a request of ours")
        MEANT_ONCE = "meant_once", _("only meant to give once")
        FAILED_BESIDE = "failed_beside", _("a gift fails beside one that goes on")
        TAKEN_TWICE = "taken_twice", _("more was taken back than was given")
        UNUSUAL_GIFT = "unusual_gift", _("a gift that our forms do not offer")
        STATUS_UNKNOWN = "status_unknown", _("Stripe names a state that we do not know")
        DISPUTE_NOT_BOOKED = "dispute_not_booked", _("a bank took money that our books lack")
        FRAUD_WARNING = "fraud_warning", _("a card's issuer suspects fraud")
        REFUND_FAILED = "refund_failed", _("a refund did not reach the supporter")

    kind = models.CharField(_("what"), max_length=30, choices=Kind)
    key = models.CharField(max_length=200, unique=True)
    supporter = models.ForeignKey(Supporter, null=True, blank=True, on_delete=models.PROTECT, related_name="cases")
    facts = models.JSONField(_("facts"), default=dict)
    opened_at = models.DateTimeField(_("noticed"), default=clock.now)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)
    note = models.TextField(_("how it was settled"), blank=True)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        ordering = ["-opened_at", "-pk"]
        indexes = [models.Index(fields=["-opened_at"], name="case_open", condition=Q(settled_at=None))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"
