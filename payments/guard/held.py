"""Gifts that the door has not let through: how many and how much, for staff. And how long the shield keeps what."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Sum

from members import clock
from payments import money
from payments.guard import marks, proof
from payments.models import CheckoutOrigin, DoorPeriod, FailedTry, HeldGift

# Tries and origins are needed for a day, gifts held back for as long as staff look at them.
KEPT, PERIODS_KEPT = timedelta(days=7), timedelta(days=400)


def hold(email: str, amount: int, currency: str, *, is_suspicious: bool) -> None:
    """Count a gift that did not pass. `amount` is in minor units. The same address and sum count once. Idempotent."""
    address = marks.of_address(email)
    row = HeldGift(
        key=marks.of("held", f"{address} {amount} {currency}"),
        address=address,
        amount=amount,
        currency=currency,
        is_held=is_suspicious,
    )
    HeldGift.objects.bulk_create([row], ignore_conflicts=True)


def release(email: str) -> None:
    """Forget what was held back of an address that has passed."""
    HeldGift.objects.filter(address=marks.of_address(email)).delete()


def count(period: DoorPeriod | None) -> tuple[int, list[str]]:
    """Return how many gifts are held back since an hour before this period, or of the last hour, and sums in words."""
    since = (period.since if period else clock.now()) - timedelta(hours=1)
    rows = HeldGift.objects.filter(held_at__gte=since)
    if period and period.until:
        rows = rows.filter(held_at__lt=period.until)
    sums = rows.order_by("currency").values("currency").annotate(count=Count("pk"), sum=Sum("amount"))
    return sum(row["count"] for row in sums), [money.format(row["sum"], row["currency"], short=True) for row in sums]


def trim() -> None:
    """Delete old tries, origins, gifts held back, used proofs and periods of the door. Idempotent."""
    old = clock.now() - KEPT
    FailedTry.objects.filter(tried_at__lt=old).delete()
    CheckoutOrigin.objects.filter(noted_at__lt=old).delete()
    HeldGift.objects.filter(held_at__lt=old).delete()
    DoorPeriod.objects.filter(until__lt=clock.now() - PERIODS_KEPT).delete()
    proof.trim()
