"""The numbers on the desk's first page: what waits for a person, what came in. One query a number.

Each says what it counts; the page links it to its list. Sums are per currency and never added across currencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from members import clock
from members.models import Membership, Message
from payments.models import Case, Payment, StripeEvent

# A payment may be made long before it is received: retries of a bank take up to two months.
SLOWEST_PAYMENT = timedelta(days=93)


@dataclass(frozen=True)
class Waiting:
    """How many rows wait, and since when the oldest does. `oldest` is None when none waits."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True)
class Received:
    """Gifts received in one currency, in its minor units, before fees and refunds."""

    currency: str
    today: int
    gifts_today: int
    month: int
    gifts_month: int


def open_cases() -> Waiting:
    return Waiting(
        **Case.objects.filter(settled_at=None).order_by().aggregate(count=Count("pk"), oldest=Min("opened_at"))
    )


def events() -> dict[str, Waiting]:
    """Events not worked yet, by state. `dead` ones wait for a person; the others are tried again by themselves."""
    states = (*StripeEvent.WAITING, StripeEvent.State.DEAD)
    rows = StripeEvent.objects.filter(state__in=states).order_by().values("state")
    counted = rows.annotate(count=Count("pk"), oldest=Min("received_at"))
    return {row["state"]: Waiting(row["count"], row["oldest"]) for row in counted}


def messages_in_trouble() -> dict[str, int]:
    """Messages that failed for good, or of which nobody knows whether they left."""
    rows = Message.objects.filter(state__in=(Message.State.FAILED, Message.State.UNKNOWN)).order_by().values("state")
    return {row["state"]: row["count"] for row in rows.annotate(count=Count("pk"))}


def received() -> list[Received]:
    """Today's and this month's gifts by the business date, a row a currency, largest month first."""
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
    """People with an active membership today, each counted once."""
    return Membership.objects.active().order_by().values("supporter").distinct().count()


def _start(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
