"""Agreements with supporters: an attempt to give (Checkout) and a recurring gift (Subscription).

Amounts are integers in minor units of `currency`, with Stripe's exponents (payments/currencies.py). The rules are in
payments/giving/checkout.py and payments/recurring/.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from appeals.models import Appeal, Campaign
from members import clock
from members.models import Consent, Membership, Supporter
from payments import money, rhythms
from payments.models.changes import SubscriptionChange, is_set_to_stop
from payments.models.requests import StripeRequest
from payments.models.statuses import BEHIND, HELD_UP, NOT_ALIVE, SubscriptionStatus

CURRENCY = Q(currency__regex="^[A-Z]{3}$")


class Frequency(models.TextChoices):
    MONTH = "month", _("monthly")
    YEAR = "year", _("yearly")
    ONCE = "once", _("once")
    OTHER = "other", _("in another rhythm")  # agreed at Stripe; our forms do not offer it (payments/rhythms.py)


OFFERED = [choice for choice in Frequency.choices if choice[0] in rhythms.OFFERED]


class Attributed(models.Model):
    """The campaign, appeal and article that led to a gift, copied from checkout to subscription and every payment."""

    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("campaign")
    )
    appeal = models.ForeignKey(
        Appeal, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("appeal")
    )
    article = models.CharField(_("article"), max_length=120, blank=True)

    class Meta:
        abstract = True

    def attribution(self) -> dict[str, object]:
        """Return the fields of the attribution, for copying them to another row."""
        return {"campaign_id": self.campaign_id, "appeal_id": self.appeal_id, "article": self.article}


class Checkout(Attributed):
    """An attempt to give. Its row is committed before Stripe is called; idempotency keys are made from `public_id`.

    `attempt` counts the Checkout Sessions asked for; `stripe_params` are the parameters of each.
    """

    class Status(models.TextChoices):
        STARTED = "started", _("started")
        OPEN = "open", _("at Stripe")
        WAITING = "waiting", _("waits for its payment")
        COMPLETE = "complete", _("complete")
        EXPIRED = "expired", _("expired")

    # The giver has nothing more to do on Stripe's page. With WAITING, a voucher, a transfer or the small deposits of a
    # bank are still to be paid or confirmed elsewhere.
    DONE_AT_STRIPE = (Status.WAITING, Status.COMPLETE)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reference = models.CharField(_("reference"), max_length=12, unique=True)
    form_key = models.CharField(max_length=64, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.STARTED)
    frequency = models.CharField(_("frequency"), max_length=5, choices=OFFERED)
    amount = models.PositiveBigIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    email = models.EmailField(_("email"), max_length=254)
    name = models.CharField(pgettext_lazy("person", "name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=8)
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="checkouts")
    supporter = models.ForeignKey(Supporter, null=True, blank=True, on_delete=models.PROTECT, related_name="checkouts")
    attempt = models.PositiveSmallIntegerField(default=1, editable=False)
    attempt_at = models.DateTimeField(default=clock.now, editable=False)
    stripe_params = models.JSONField(default=dict, editable=False)
    stripe_session_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    stripe_session_url = models.URLField(max_length=2000, blank=True, editable=False)
    created_at = models.DateTimeField(_("started"), default=clock.now)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)
    failure_code = models.CharField(_("last decline"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("checkout")
        verbose_name_plural = _("checkouts")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=CURRENCY, name="checkout_currency_is_a_code"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="checkout_amount_above_zero"),
        ]
        indexes = [models.Index(fields=["-created_at"], name="checkout_newest")]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_recurring(self) -> bool:
        return self.frequency != Frequency.ONCE

    @property
    def idempotency_key(self) -> str:
        return f"checkout:{self.public_id}:{self.attempt}"


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def alive(self) -> SubscriptionQuerySet:
        """Return subscriptions that may still take money: every status but incomplete and ended ones."""
        return self.exclude(status__in=Subscription.NOT_ALIVE)

    def continuing(self) -> SubscriptionQuerySet:
        """Return subscriptions that are paid and continue: not behind with a payment, paused or set to stop.

        One whose billing day was moved (`trialing`) continues, and so does one in a state that we do not know.
        """
        return self.alive().going_on().exclude(status__in=HELD_UP).filter(collection_paused=False)

    def going_on(self) -> SubscriptionQuerySet:
        """Return subscriptions that are not set to stop; an end date after the current period is no stop yet."""
        return self.filter(Q(cancel_at=None) | Q(cancel_at__gt=F("current_period_end")), cancel_at_period_end=False)

    def renewing_by(self, day: date) -> SubscriptionQuerySet:
        """Return subscriptions not set to stop whose next payment Stripe takes on or before this day.

        Stripe makes no invoices for one with status `paused`, and collects none for one with `unpaid`.
        """
        going = self.alive().going_on().exclude(status__in=(Subscription.Status.PAUSED, Subscription.Status.UNPAID))
        return going.filter(is_collected=True, renews_on__lte=day)


class Subscription(Attributed):
    """A recurring gift. `status` and terms are those of Stripe's subscription when it was last read.

    `renews_on` is the day of the next payment. `method` is a card or account in words, such as "Visa 4242".

    `amount` is per rhythm, in minor units, and 0 if no sum can be named beforehand (docs/decisions/0027). `interval` is
    Stripe's, with its count; "" says that `frequency` is all there is. `is_as_offered`: our forms could have made it,
    so that another amount changes nothing else. `is_sum_sure`: the next payment takes `amount`; else `next_amount` is
    what Stripe said last that it would take, None if it said nothing. `is_collected`: Stripe takes the payments itself
    and sends no bill.
    """

    Status = SubscriptionStatus

    class MethodProblem(models.TextChoices):
        DETACHED = "detached", _("card or account removed at Stripe")
        MANDATE_INACTIVE = "mandate_inactive", _("the bank ended the mandate")

    NOT_ALIVE = NOT_ALIVE
    BEHIND = BEHIND

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    supporter = models.ForeignKey(Supporter, on_delete=models.PROTECT, related_name="subscriptions")
    checkout = models.OneToOneField(
        Checkout, null=True, blank=True, on_delete=models.PROTECT, related_name="subscription"
    )
    membership = models.OneToOneField(
        Membership, null=True, blank=True, on_delete=models.PROTECT, related_name="subscription"
    )
    stripe_subscription_id = models.CharField(max_length=255, unique=True)
    stripe_customer_id = models.CharField(max_length=255, db_index=True)
    status = models.CharField(_("status"), max_length=60, choices=Status)
    frequency = models.CharField(_("frequency"), max_length=5, choices=Frequency)
    interval = models.CharField(_("interval"), max_length=20, blank=True, default="", db_default="")
    interval_count = models.PositiveIntegerField(_("intervals"), default=1, db_default=1)
    amount = models.PositiveBigIntegerField(_("amount, minor units"))
    currency = models.CharField(_("currency"), max_length=3)
    is_as_offered = models.BooleanField(_("as our forms make it"), default=True, db_default=True)
    is_sum_sure = models.BooleanField(_("next sum known"), default=True, db_default=True)
    next_amount = models.PositiveBigIntegerField(_("next sum, minor units"), null=True, blank=True)
    is_collected = models.BooleanField(_("taken by Stripe"), default=True, db_default=True)
    started_at = models.DateTimeField(_("started"))
    current_period_end = models.DateTimeField(_("period ends"))
    renews_on = models.DateField(_("renews on"))
    credited_through = models.DateField(_("paid from credit through"), null=True, blank=True)
    cancel_at_period_end = models.BooleanField(_("stops at the period's end"), default=False)
    cancel_at = models.DateTimeField(_("stops at"), null=True, blank=True)
    canceled_at = models.DateTimeField(_("stopped by"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    collection_paused = models.BooleanField(_("collection paused"), default=False)
    resumes_at = models.DateTimeField(_("resumes"), null=True, blank=True)
    method = models.CharField(_("paid from"), max_length=60, blank=True)
    stripe_payment_method_id = models.CharField(max_length=255, blank=True, db_index=True)
    method_expires_on = models.DateField(_("card valid until"), null=True, blank=True)
    method_problem = models.CharField(_("problem with the method"), max_length=30, choices=MethodProblem, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=CURRENCY, name="subscription_currency_is_a_code"),
            models.CheckConstraint(condition=~Q(frequency="once"), name="subscription_recurs"),
        ]
        indexes = [models.Index(fields=["renews_on", "frequency"], name="subscription_renewing")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_alive(self) -> bool:
        return self.status not in self.NOT_ALIVE

    @property
    def rhythm(self) -> str:
        """Return how often it is charged, as plain text (payments/rhythms.py)."""
        return rhythms.text(self.interval, self.interval_count) if self.interval else self._bare_rhythm

    @property
    def monthly_amount(self) -> int:
        """Return what it comes to in a month, in minor units; 0 if no sum can be named."""
        if not self.interval:
            return money.monthly(self.amount, self.frequency)
        return rhythms.per_month(self.amount, self.interval, self.interval_count)

    @property
    def _bare_rhythm(self) -> str:
        return "" if self.frequency == Frequency.OTHER else self.frequency

    @property
    def is_stopping(self) -> bool:
        return self.is_alive and is_set_to_stop(self)

    @property
    def is_resting(self) -> bool:
        """Return whether Stripe takes nothing for now: collection is paused, or, in the dashboard, all of the gift."""
        return self.is_alive and (self.collection_paused or self.status == self.Status.PAUSED)

    @property
    def ends_on(self) -> date | None:
        """Return the day on which it ends as Stripe has it now, perhaps years ahead; None without one or if over."""
        moment = self.cancel_at or (self.current_period_end if self.cancel_at_period_end else None)
        return clock.day_of(moment) if moment and self.is_alive else None

    @property
    def has_another_active(self) -> bool:
        """Return whether the supporter has another recurring gift that is paid and continues."""
        return Subscription.objects.continuing().filter(supporter_id=self.supporter_id).exclude(pk=self.pk).exists()

    @property
    def is_ending_or_asked_to(self) -> bool:
        """Return whether it has ended, is set to stop, or has a stop request not followed by a request to continue."""
        return not self.is_alive or self.stops_by(*StripeRequest.UNSEEN)

    def stops_by(self, *states: str) -> bool:
        """Return whether it will stop according to the newest change request about a stop in one of these states.

        Without such a request, the subscription as last read from Stripe decides.
        """
        return self.stops_after(self.changes.filter(state__in=states))

    def stops_after(self, changes: Iterable[SubscriptionChange]) -> bool:
        """Return whether it will stop according to the first of these change requests about a stop, newest first."""
        for change in changes:
            if change.kind == SubscriptionChange.Kind.STOP:
                return True
            if change.takes_back_a_stop:
                return False
        return self.is_stopping

    def ends_at_once_after(self, changes: Iterable[SubscriptionChange]) -> bool:
        """Return whether a stop, the first of these requests that says so, has ended it already, whatever was read.

        It has if it was to end at once, or if the gift is behind with a payment.
        """
        if not self.stops_after(changes):
            return False
        stops = (change for change in changes if change.kind == SubscriptionChange.Kind.STOP)
        return self.status in BEHIND or any(change.at_once for change in stops)

    def pauses_by(self, *states: str) -> bool:
        """Return whether it will be paused according to the newest change request about a pause in one of these states.

        Without such a request, the subscription as last read from Stripe decides.
        """
        return self.pauses_after(self.changes.filter(state__in=states))

    def pauses_after(self, changes: Iterable[SubscriptionChange]) -> bool:
        """Return whether it will be paused according to the first of these requests about a pause, newest first."""
        for change in changes:
            if "pause_collection" in change.stripe_params:
                return bool(change.stripe_params["pause_collection"])
        return self.collection_paused
