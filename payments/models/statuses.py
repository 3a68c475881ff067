"""The states of a recurring gift, spelled as Stripe spells them; used by giving.py and changes.py."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SubscriptionStatus(models.TextChoices):
    INCOMPLETE = "incomplete", _("incomplete")
    INCOMPLETE_EXPIRED = "incomplete_expired", _("never started")
    TRIALING = "trialing", _("trialing")
    ACTIVE = "active", _("active")
    PAST_DUE = "past_due", _("past due")
    UNPAID = "unpaid", _("unpaid")
    PAUSED = "paused", _("paused")
    CANCELED = "canceled", _("canceled")


# A subscription in one of these states takes no money: it has ended, or its first payment has not succeeded. In every
# other state it may, also in one that Stripe adds after this was written (stripe.Subscription.status).
NOT_ALIVE = (
    SubscriptionStatus.INCOMPLETE,
    SubscriptionStatus.INCOMPLETE_EXPIRED,
    SubscriptionStatus.CANCELED,
)
# A payment has failed that Stripe still tries, or has given up trying.
BEHIND = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID)
# In these states the next payment will not be taken on its day: one is overdue, or Stripe makes no invoices.
HELD_UP = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID, SubscriptionStatus.PAUSED)
