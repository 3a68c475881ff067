"""The numbers on the desk's front page: what waits for a person, and what was received. One query each.

Called by the desk's front page, which links each number to its list, and by `doctor`. Sums are per currency and never
added across currencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from members import clock
from members.models import Membership, Message
from payments.models import Case, Payment, StripeEvent

# A payment may begin long before it is received: retries of a failed payment take up to two months.
SLOWEST_PAYMENT = timedelta(days=93)


@dataclass(frozen=True)
class Waiting:
    """How many rows wait, and since when the oldest waits. `oldest` is None if none waits."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True)
class Received:
    """Sums and numbers of gifts received in one currency, in its minor units, before fees and refunds."""

    currency: str
    today: int
    gifts_today: int
    month: int
    gifts_month: int


def open_cases() -> Waiting:
    open_ones = Case.objects.filter(settled_at=None).order_by()
    return Waiting(**open_ones.aggregate(count=Count("pk"), oldest=Min("opened_at")))


def events() -> dict[str, Waiting]:
    """Return the events that are not processed yet, by state; states without any are left out.

    `dead` events wait for a person, the others are retried automatically.
    """
    states = (*StripeEvent.WAITING, StripeEvent.State.DEAD)
    rows = StripeEvent.objects.filter(state__in=states).order_by().values("state")
    counted = rows.annotate(count=Count("pk"), oldest=Min("received_at"))
    return {row["state"]: Waiting(row["count"], row["oldest"]) for row in counted}


def messages_in_trouble() -> dict[str, int]:
    """Return how many messages were given up, by state: `failed`, or `unknown` if they may have been delivered.

    States without any are left out.
    """
    rows = Message.objects.filter(state__in=(Message.State.FAILED, Message.State.UNKNOWN)).order_by().values("state")
    return {row["state"]: row["count"] for row in rows.annotate(count=Count("pk"))}


def received() -> list[Received]:
    """Return today's and this month's received gifts by the business date, one row per currency.

    Ordered by the number of gifts this month, largest first, then by currency. Currencies without any are left out.
    """
    today = clock.today()
    month = _start(today.replace(day=1))
    recent = Payment.objects.filter(
        status=Payment.Status.SUCCEEDED, created_at__gte=month - SLOWEST_PAYMENT, paid_at__gte=month
    )
    is_today = Q(paid_at__gte=_start(today))
    rows = (
        recent.order_by()
        .values("currency")
        .annotate(
            today=Sum("amount", filter=is_today, default=0),
            gifts_today=Count("pk", filter=is_today),
            month=Sum("amount"),
            gifts_month=Count("pk"),
        )
    )
    return sorted((Received(**row) for row in rows), key=lambda row: (-row.gifts_month, row.currency))


def active_patrons() -> int:
    """Return how many people have an active membership today."""
    return Membership.objects.active().order_by().values("supporter").distinct().count()


def _start(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
