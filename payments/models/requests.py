"""What we ask of Stripe: a row committed before the call, whose id is the idempotency key, with frozen parameters."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members import clock


class StripeRequest(models.Model):
    """Asked, accepted, then seen in an object read from Stripe. One left unanswered by a crash is taken up again.

    A generation is one use of a key: with other parameters, or after Stripe forgot the key, the next one begins.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("asked")
        ACCEPTED = "accepted", _("accepted by Stripe")
        SEEN = "seen", _("seen in Stripe's answer")
        FAILED = "failed", _("failed")
        SUPERSEDED = "overtaken", _("overtaken by a later wish")

    UNSEEN = (State.REQUESTED, State.ACCEPTED)
    GIVEN_UP = (State.FAILED, State.SUPERSEDED)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.REQUESTED)
    stripe_params = models.JSONField(default=dict, editable=False)
    error = models.TextField(_("error"), blank=True)
    requested_at = models.DateTimeField(_("asked"), default=clock.now)
    generation = models.PositiveSmallIntegerField(default=1, editable=False)
    generation_at = models.DateTimeField(default=clock.now, editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        abstract = True

    @property
    def idempotency_key(self) -> str:
        return f"{self._meta.model_name}:{self.public_id}:{self.generation}"

    @property
    def turn(self) -> str:
        """What is asked one after another, across processes."""
        return f"request:{self.public_id}"


class RefundRequest(StripeRequest):
    """Staff send money back. The refund itself is Stripe's, and arrives as one of its events."""

    class Reason(models.TextChoices):
        REQUESTED = "requested_by_customer", _("the supporter asked")
        DUPLICATE = "duplicate", _("paid twice")
        FRAUDULENT = "fraudulent", _("not their card")

    payment = models.ForeignKey("payments.Payment", on_delete=models.PROTECT, related_name="refund_requests")
    amount = models.PositiveBigIntegerField(_("amount, minor units"))
    reason = models.CharField(_("reason"), max_length=30, choices=Reason)
    sentence = models.CharField(_("a sentence to the supporter"), max_length=300, blank=True)
    tells_supporter = models.BooleanField(_("tell the supporter"), default=True)
    stripe_refund_id = models.CharField(max_length=255, unique=True, null=True, blank=True)

    class Meta:
        verbose_name = _("request for a refund")
        verbose_name_plural = _("requests for refunds")
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_request_above_zero"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(state="requested"), name="one_open_refund_request_a_payment"
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class PortalConfiguration(StripeRequest):
    """What Stripe's hosted portal may do for our readers: put another card or bank in place. Made once an account."""

    stripe_configuration_id = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = _("configuration of Stripe's portal")
        verbose_name_plural = _("configurations of Stripe's portal")
        ordering = ["-requested_at", "-pk"]

    def __str__(self) -> str:
        return self.stripe_configuration_id or str(self.public_id)


class PortalVisit(StripeRequest):
    """A reader goes to Stripe's page to change how they pay: what it was until then. The page itself runs out soon."""

    subscription = models.ForeignKey("payments.Subscription", on_delete=models.PROTECT, related_name="portal_visits")
    method_before = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = _("visit to Stripe's portal")
        verbose_name_plural = _("visits to Stripe's portal")
        ordering = ["-requested_at", "-pk"]

    def __str__(self) -> str:
        return str(self.public_id)


class OverdueTry(StripeRequest):
    """An overdue payment is tried with a card or bank that was put in place for it: once a payment and method."""

    payment = models.ForeignKey("payments.Payment", on_delete=models.PROTECT, related_name="overdue_tries")
    stripe_payment_method_id = models.CharField(max_length=255)

    class Meta:
        verbose_name = _("try of an overdue payment")
        verbose_name_plural = _("tries of overdue payments")
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "stripe_payment_method_id"], name="one_try_a_payment_and_method")
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class Heartbeat(models.Model):
    """When a process that must always run was last heard of."""

    name = models.CharField(primary_key=True, max_length=40)
    beaten_at = models.DateTimeField(_("last heard of"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name
