"""The shield against card testing: tries that failed, where checkouts came from, the door, and what it holds back.

Written by payments/guard/. Networks, addresses and cards are keyed hashes here, and kept for days only.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members import clock
from payments.models.giving import CURRENCY, Checkout
from payments.models.requests import StripeRequest


def mark_field(**more: object) -> models.CharField[str, str]:
    return models.CharField(max_length=40, editable=False, **more)  # type: ignore[arg-type]


class CheckoutOrigin(models.Model):
    """The network that a checkout's session was last asked for from, with those around it, as keyed hashes."""

    checkout = models.OneToOneField(Checkout, primary_key=True, on_delete=models.CASCADE, related_name="origin")
    networks = ArrayField(mark_field(), default=list, editable=False)
    address = mark_field()
    noted_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        verbose_name = _("where a checkout came from")
        verbose_name_plural = _("where checkouts came from")
        indexes = [
            GinIndex(fields=["networks"], name="origin_networks"),
            models.Index(fields=["address"], name="origin_address"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class FailedTry(models.Model):
    """A card that did not go through on one of Stripe's pages, once however many events tell of it (`key`).

    `attempt` is the checkout's: with it, one session. Marks of network, address and card are keyed hashes.
    """

    key = models.CharField(max_length=255, unique=True)
    tried_at = models.DateTimeField(_("tried"), db_index=True)
    checkout = models.ForeignKey(Checkout, null=True, on_delete=models.CASCADE, related_name="failed_tries")
    attempt = models.PositiveSmallIntegerField(default=0)
    networks = ArrayField(mark_field(), default=list, editable=False)
    address = mark_field(blank=True)
    card = mark_field(blank=True)
    failed_authentication = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("failed try of a card")
        verbose_name_plural = _("failed tries of cards")

    def __str__(self) -> str:
        return f"#{self.pk}"


class SessionExpiry(StripeRequest):
    """A request to close a session at Stripe, because too many cards failed there. Made once per session."""

    checkout = models.ForeignKey(Checkout, on_delete=models.CASCADE, related_name="expiries")
    stripe_session_id = models.CharField(max_length=255, unique=True)

    class Meta:
        verbose_name = _("request to close a session")
        verbose_name_plural = _("requests to close sessions")
        ordering = ["-requested_at", "-pk"]
        indexes = [models.Index(fields=["requested_at"], name="expiry_unanswered", condition=Q(state="requested"))]

    def __str__(self) -> str:
        return str(self.public_id)


class DoorPeriod(models.Model):
    """A time in which the door to Stripe's pages was not as always. Without an open period it is: see guard/door.py.

    `declines`, `begun` and `suspects` are what was counted when it began.
    """

    class State(models.TextChoices):
        NORMAL = "normal", _("open as always")
        GUARDED = "guarded", _("guarded")
        CLOSED = "closed", _("closed to the suspicious")

    state = models.CharField(_("the door"), max_length=10, choices=State)
    since = models.DateTimeField(_("since"), default=clock.now)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    declines = models.PositiveIntegerField(_("declines within an hour"), default=0)
    begun = models.PositiveIntegerField(_("gifts begun"), default=0)
    suspects = models.PositiveIntegerField(_("suspicious sources"), default=0)

    class Meta:
        verbose_name = _("guarded time")
        verbose_name_plural = _("guarded times")
        ordering = ["-since", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(until=None), name="door_state_open_once"),
            models.CheckConstraint(condition=~Q(state="normal"), name="door_period_is_not_normal"),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} #{self.pk}"


class HeldGift(models.Model):
    """A gift that the door has not let through yet, counted once per address and sum. Gone when it passes.

    `amount` is in minor units of `currency`. `is_held`: held back as suspicious; else its proof is missing.
    """

    key = models.CharField(max_length=40, unique=True, editable=False)
    address = mark_field(db_index=True)
    amount = models.PositiveBigIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    is_held = models.BooleanField(default=False)
    held_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        verbose_name = _("gift held back")
        verbose_name_plural = _("gifts held back")
        constraints = [models.CheckConstraint(condition=CURRENCY, name="held_gift_currency_is_a_code")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SpentProof(models.Model):
    """A proof of work that was used, and for which form. Real time: proofs expire within minutes."""

    nonce = models.CharField(max_length=64, primary_key=True)
    form = models.CharField(max_length=64)
    spent_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("proof that was used")
        verbose_name_plural = _("proofs that were used")

    def __str__(self) -> str:
        return self.nonce
