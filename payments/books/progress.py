"""How far each running campaign has come: counted from payments, told to the floor below. One query a kind of goal.

Recomputed every minute and by the daily jobs, never within the transaction of a payment. Counting from the rows each
time is safe to do twice, and right again after any refund.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from appeals import campaigns
from appeals.models import Campaign
from payments.models import KEPT, Payment, Subscription

Counted = dict[int, int]  # campaign id: people, gifts, or minor units of the goal's currency

# Received, and not all of it sent back by us or taken back by a bank.
STAYED = Q(status=Payment.Status.SUCCEEDED, refunded_amount__lt=F("amount") - F("disputed_amount"))


def record_all() -> int:
    """Counts every running campaign and writes its progress, what was reached elsewhere included. How many it were."""
    counted_at = timezone.now()  # before the counting: a payment that comes meanwhile belongs to the next count
    running = list(Campaign.objects.running())
    counted = {kind: count(running_ids(running, kind)) for kind, count in COUNTS.items()}
    for campaign in running:
        value = campaign.starting_value + counted[Campaign.Goal(campaign.goal_kind)].get(campaign.pk, 0)
        campaigns.record_progress(campaign.pk, value, counted_at)
    return len(running)


def running_ids(running: list[Campaign], kind: Campaign.Goal) -> list[int]:
    return [campaign.pk for campaign in running if campaign.goal_kind == kind]


def patrons(campaign_ids: list[int]) -> Counted:
    """People whose first paid subscription came through the campaign: a second one makes nobody a new patron.

    Paid means: a payment of it was received and not all of it went back.
    """
    paid = Subscription.objects.filter(Exists(Payment.objects.filter(STAYED, subscription=OuterRef("pk"))))
    earlier = Q(started_at__lt=OuterRef("started_at")) | Q(
        started_at=OuterRef("started_at"), stripe_subscription_id__lt=OuterRef("stripe_subscription_id")
    )
    first = paid.filter(~Exists(paid.filter(earlier, supporter=OuterRef("supporter"))))
    return _by_campaign(first, campaign_ids, Count("supporter", distinct=True))


def gifts(campaign_ids: list[int]) -> Counted:
    """Payments received, without those that went back in full. Every month of a monthly gift is one."""
    return _by_campaign(Payment.objects.filter(STAYED), campaign_ids, Count("pk"))


def money(campaign_ids: list[int]) -> Counted:
    """What was received and kept, in minor units, of gifts in the goal's currency. Other currencies are not guessed."""
    same = Payment.objects.filter(STAYED, currency=F("campaign__goal_currency"))
    return _by_campaign(same, campaign_ids, Sum(KEPT))


COUNTS: dict[Campaign.Goal, Callable[[list[int]], Counted]] = {
    Campaign.Goal.PATRONS: patrons,
    Campaign.Goal.GIFTS: gifts,
    Campaign.Goal.MONEY: money,
}


def _by_campaign(rows: QuerySet, campaign_ids: list[int], what: Count | Sum) -> Counted:
    """No query where no campaign asks for it."""
    if not campaign_ids:
        return {}
    found = rows.filter(campaign__in=campaign_ids).order_by().values("campaign").annotate(number=what)
    return {row["campaign"]: int(row["number"]) for row in found}
