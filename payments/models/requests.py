"""Requests to Stripe: a row with the parameters, committed before the call; the idempotency key is made from its id.

Sent by payments/stripe_requests.py. Change requests are in changes.py. Also here: refunds that wait for a second
colleague before they become requests, and heartbeats of our own processes.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members import clock


class StripeRequest(models.Model):
    """A request to change something at Stripe. Its state goes from requested to accepted (Stripe's answer) to seen
    (confirmed by an object read from Stripe), or to failed or superseded. A request left unanswered is retried.

    A generation is the use of one idempotency key: the next one begins with other parameters, or when the key can no
    longer be used.
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
        """Return the name of the lock under which the request is sent, one process at a time."""
        return f"request:{self.public_id}"


class RefundRequest(StripeRequest):
    """A refund that staff ask Stripe for. The refund itself arrives with an event, as a Refund.

    `amount` is in minor units of the payment's currency. `sentence` is added to the email to the supporter.
    """

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
    """The configuration of Stripe's customer portal: readers may change card or bank there. Made once per account."""

    stripe_configuration_id = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = _("configuration of Stripe's portal")
        verbose_name_plural = _("configurations of Stripe's portal")
        ordering = ["-requested_at", "-pk"]

    def __str__(self) -> str:
        return self.stripe_configuration_id or str(self.public_id)


class PortalVisit(StripeRequest):
    """A reader's visit to Stripe's portal to change how this subscription is paid.

    `method_before` is the payment method until then, `default_before` the default of the customer at Stripe, which is
    what the portal changes. Only its request is stored: the portal's page expires within minutes. `came_back_at`: the
    reader chose something there and returned. `is_same`: that is what the gift is paid from already.
    """

    subscription = models.ForeignKey("payments.Subscription", on_delete=models.PROTECT, related_name="portal_visits")
    method_before = models.CharField(max_length=255, blank=True)
    default_before = models.CharField(max_length=255, blank=True, default="", db_default="")
    came_back_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_same = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("visit to Stripe's portal")
        verbose_name_plural = _("visits to Stripe's portal")
        ordering = ["-requested_at", "-pk"]

    def __str__(self) -> str:
        return str(self.public_id)


class MethodChange(StripeRequest):
    """A request to pay a subscription from another payment method of its customer.

    Made once per visit to Stripe's portal and method, or, without a visit, when the supporter asks for it.
    """

    subscription = models.ForeignKey("payments.Subscription", on_delete=models.PROTECT, related_name="method_changes")
    visit = models.ForeignKey(PortalVisit, null=True, blank=True, on_delete=models.PROTECT, related_name="changes")
    stripe_payment_method_id = models.CharField(max_length=255)

    class Meta:
        verbose_name = _("request to pay from another method")
        verbose_name_plural = _("requests to pay from another method")
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["visit", "stripe_payment_method_id"], name="one_change_a_visit_and_method"),
            models.UniqueConstraint(
                fields=["subscription"], condition=Q(state="requested"), name="one_open_method_change"
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def turn(self) -> str:
        """Return the name of the lock: requests for one subscription are sent to Stripe one after another."""
        return f"subscription:{self.subscription_id}"


class OverdueTry(StripeRequest):
    """A try of an overdue payment with a new card or bank account. Made once per payment and payment method."""

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
    """The last sign of life of a process that must always run. Written by payments/heartbeats.py."""

    name = models.CharField(primary_key=True, max_length=40)
    beaten_at = models.DateTimeField(_("last heard of"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name


class HeldRefund(models.Model):
    """A refund above the limit (books/refund_limits.py) as it was filled in; a colleague confirms or declines it.

    `amount` is in minor units of the payment's currency. `public_id` becomes the id of the refund request, so that
    confirming twice refunds once.
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
