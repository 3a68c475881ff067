"""Change requests for recurring gifts: stop, pause, another amount, keep. Made and sent by recurring/changes.py."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from payments.models.requests import StripeRequest
from payments.models.statuses import NOT_ALIVE


class Agreement(Protocol):
    """The terms of a recurring gift: what our Subscription row and Stripe's object have in common."""

    @property
    def status(self) -> str: ...
    @property
    def cancel_at_period_end(self) -> bool: ...
    @property
    def cancel_at(self) -> datetime | None: ...
    @property
    def current_period_end(self) -> datetime: ...
    @property
    def collection_paused(self) -> bool: ...
    @property
    def amount(self) -> int: ...


def is_set_to_stop(agreed: Agreement) -> bool:
    """Return whether Stripe will bill no further period of a subscription that has not ended.

    An end date may be years ahead: the gift goes on until the period in which it lies.
    https://docs.stripe.com/api/subscriptions/object#subscription_object-cancel_at
    """
    ends_in_this_period = agreed.cancel_at is not None and agreed.cancel_at <= agreed.current_period_end
    return agreed.cancel_at_period_end or ends_in_this_period


class SubscriptionChangeQuerySet(models.QuerySet["SubscriptionChange"]):
    def note_seen(self, agreed: Agreement) -> None:
        """Mark requests that the subscription, freshly read from Stripe, confirms as seen. Idempotent.

        An accepted request that it does not confirm, older than one that it does, was undone by the later one: it is
        marked as superseded. Checked newest first.
        """
        is_later_one_seen = False
        for change in self.filter(state__in=StripeRequest.UNSEEN):
            if change.is_shown_by(agreed):
                is_later_one_seen = True
                change.state = StripeRequest.State.SEEN
                change.save(update_fields=["state"])
            elif is_later_one_seen and change.state == StripeRequest.State.ACCEPTED:
                change.state = StripeRequest.State.SUPERSEDED
                change.save(update_fields=["state"])


class SubscriptionChange(StripeRequest):
    """A request to change a subscription at Stripe. Amounts are in minor units of the subscription's currency.

    `at_once` cancels it immediately instead of at the end of the period. `surface` says where the request was made.
    `end_before` is the end date, agreed at Stripe, that a stop replaces. `has_bills_to_check`: recurring/bills.py has
    still to look at the invoices that existed when Stripe accepted the request; `bills` is what it found, and
    `bill_checks` counts how often it began. `bills_of_others` are ids of invoices of the customer's other gifts, which
    Stripe stops collecting when this one ends immediately.
    """

    class Kind(models.TextChoices):
        STOP = "stop", _("stop")
        PAUSE = "pause", _("pause")
        AMOUNT = "amount", _("another amount")
        KEEP = "keep", _("keep going")

    class Reason(models.TextChoices):
        """The reasons for stopping that the stop page offers. Staff and older rows may have other values."""

        MONEY = "money", _("Money is tight")
        ELSEWHERE = "elsewhere", _("I give elsewhere now")
        DISAGREE = "disagree", _("I disagree with something you published")
        READING = "reading", _("I read you less")
        TROUBLE = "trouble", _("The payment gave me trouble")
        MEANT_ONCE = "once", _("I only meant to give once")

    subscription = models.ForeignKey("payments.Subscription", on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(_("what"), max_length=10, choices=Kind)
    amount = models.PositiveBigIntegerField(_("new amount, minor units"), null=True, blank=True)
    amount_before = models.PositiveBigIntegerField(_("amount before, minor units"), null=True, blank=True)
    at_once = models.BooleanField(_("at once"), default=False, editable=False)
    end_before = models.DateTimeField(null=True, blank=True, editable=False)
    has_bills_to_check = models.BooleanField(default=False, db_default=False, editable=False)
    bill_checks = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    bills = models.JSONField(null=True, blank=True, editable=False)
    bills_of_others = models.JSONField(null=True, blank=True, editable=False)
    surface = models.CharField(_("asked through"), max_length=20)
    reason = models.CharField(_("reason"), max_length=20, blank=True)
    words = models.TextField(_("in their words"), blank=True, max_length=1000)

    objects = SubscriptionChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of a subscription")
        verbose_name_plural = _("changes of subscriptions")
        ordering = ["-requested_at", "-pk"]
        indexes = [models.Index(fields=["id"], name="change_with_bills", condition=Q(has_bills_to_check=True))]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "kind"], condition=Q(state="requested"), name="one_open_change_of_a_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind="amount", amount__gt=0, amount_before__gt=0)
                | (~Q(kind="amount") & Q(amount=None, amount_before=None)),
                name="change_of_amount_names_both",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def turn(self) -> str:
        """Return the name of the lock: requests for one subscription are sent to Stripe one after another."""
        return f"subscription:{self.subscription_id}"

    @property
    def takes_back_a_stop(self) -> bool:
        """Return whether the stored parameters cancel a stop.

        They do with `cancel_at_period_end` False, or with another `cancel_at`: empty, or the end date of before.
        """
        return self.stripe_params.get("cancel_at_period_end") is False or "cancel_at" in self.stripe_params

    def is_shown_by(self, agreed: Agreement) -> bool:
        """Return whether a subscription, our row or Stripe's object, is in the state that this request asked for.

        True for every request if the subscription has ended or never began, because it cannot be changed any more.
        """
        if agreed.status in NOT_ALIVE:
            return True
        is_stopping = is_set_to_stop(agreed)
        if self.takes_back_a_stop and is_stopping:
            return False
        return {
            self.Kind.STOP: is_stopping and not self.at_once,
            self.Kind.PAUSE: agreed.collection_paused,
            self.Kind.AMOUNT: agreed.amount == self.amount,
            self.Kind.KEEP: self.takes_back_a_stop or not agreed.collection_paused,
        }[self.Kind(self.kind)]
