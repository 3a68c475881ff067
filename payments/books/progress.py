"""The progress of each running campaign, counted from payments and handed to appeals/campaigns.py.

Counted every minute by a task and by the daily jobs, never inside the transaction of a payment, with one query for each
kind of goal. Counting from the rows each time is idempotent, and correct again after any refund.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from appeals import campaigns
from appeals.models import Campaign
from payments.models import KEPT, Payment, Subscription

# By campaign id: people, gifts, or minor units of the goal's currency. Campaigns without any are left out.
Counted = dict[int, int]

# Received, and not all of it sent back by us or taken back by a bank.
STAYED = Q(status=Payment.Status.SUCCEEDED, refunded_amount__lt=F("amount") - F("disputed_amount"))


def record_all() -> int:
    """Count every running campaign and store its progress; return how many there are.

    The progress includes the campaign's starting value: what it had reached elsewhere, before it began here.
    """
    counted_at = timezone.now()  # read first: a payment that arrives during the count belongs to the next one
    running = list(Campaign.objects.running())
    counted = {kind: count(running_ids(running, kind)) for kind, count in COUNTS.items()}
    for campaign in running:
        value = campaign.starting_value + counted[Campaign.Goal(campaign.goal_kind)].get(campaign.pk, 0)
        campaigns.record_progress(campaign.pk, value, counted_at)
    return len(running)


def running_ids(running: list[Campaign], kind: Campaign.Goal) -> list[int]:
    return [campaign.pk for campaign in running if campaign.goal_kind == kind]


def patrons(campaign_ids: list[int]) -> Counted:
    """Return for each campaign how many people's first paid subscription came through it.

    A later subscription makes nobody a new patron. A subscription counts as paid if one of its payments was received
    and not all of it went back.
    """
    paid = Subscription.objects.filter(Exists(Payment.objects.filter(STAYED, subscription=OuterRef("pk"))))
    earlier = Q(started_at__lt=OuterRef("started_at")) | Q(
        started_at=OuterRef("started_at"), stripe_subscription_id__lt=OuterRef("stripe_subscription_id")
    )
    first = paid.filter(~Exists(paid.filter(earlier, supporter=OuterRef("supporter"))))
    return _by_campaign(first, campaign_ids, Count("supporter", distinct=True))


def gifts(campaign_ids: list[int]) -> Counted:
    """Return for each campaign how many payments were received and did not go back in full.

    Every month of a monthly gift counts as one.
    """
    return _by_campaign(Payment.objects.filter(STAYED), campaign_ids, Count("pk"))


def money(campaign_ids: list[int]) -> Counted:
    """Return for each campaign the sum received and kept, in minor units of the goal's currency.

    Gifts in other currencies are left out: we do not guess rates.
    """
    same = Payment.objects.filter(STAYED, currency=F("campaign__goal_currency"))
    return _by_campaign(same, campaign_ids, Sum(KEPT))


COUNTS: dict[Campaign.Goal, Callable[[list[int]], Counted]] = {
    Campaign.Goal.PATRONS: patrons,
    Campaign.Goal.GIFTS: gifts,
    Campaign.Goal.MONEY: money,
}


def _by_campaign(rows: QuerySet, campaign_ids: list[int], what: Count | Sum) -> Counted:
    if not campaign_ids:  # no campaign has a goal of this kind: save the query
        return {}
    found = rows.filter(campaign__in=campaign_ids).order_by().values("campaign").annotate(number=what)
    return {row["campaign"]: int(row["number"]) for row in found}
