"""Memberships start, are renewed and end here. Called by payments/ with plain dates; knows no payment and no Stripe.

Payments and ends arrive late, twice and in any order, and the row must come out the same. Three rules ensure it: paid
days are never shortened, the latest paid day decides the level, and an end never removes paid days. So a payment that
arrives after the end does not reopen the membership: it moves the end to the day after the last paid day.
Only `count_again` removes days: those of refunded payments, if the level does not keep access after a refund.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from members.belonging import levels
from members.models import Level, Membership, Supporter


@dataclass(frozen=True)
class Paid:
    """A payment for a membership: `monthly_amount` in minor units, `has_gone_back` if refunded or reversed in full."""

    paid_through: date
    monthly_amount: int
    currency: str
    has_gone_back: bool


@transaction.atomic
def renew(
    *, supporter: Supporter, source: str, starts_on: date, paid_through: date, monthly_amount: int, currency: str
) -> Membership:
    """Record that a membership is paid from one day through another; create it if `source` is new. Return it, locked.

    `source` identifies the reason to belong, such as a subscription. `monthly_amount`, in minor units of `currency`
    (for a yearly gift, a twelfth), decides the level. Raises ValueError if `paid_through` is before `starts_on`.
    Idempotent; safe to call concurrently and in any order.
    """
    if paid_through < starts_on:
        raise ValueError("A membership cannot be paid through a day before it starts.")
    level = levels.for_amount(monthly_amount, currency)
    membership = _find_and_lock(source) or _create_and_lock(supporter, source, starts_on, paid_through, level)
    membership.starts_on = min(membership.starts_on, starts_on)
    membership.pay_through(paid_through, level)
    membership.save(update_fields=["level", "starts_on", "paid_through", "grace_through", "ended_on"])
    return membership


@transaction.atomic
def count_again(membership: Membership, paid: Iterable[Paid]) -> None:
    """Recalculate the paid days from all payments, leaving out refunded ones whose level does not keep access.

    `paid` holds every payment for this membership. If the latest days are left out, no grace period follows; if no
    payment counts, only the first day stays paid. When refunded money returns, call this again: the days come back,
    with grace. Idempotent. Call it after every `renew`; if the membership had ended, call `end` again afterwards.
    """
    row = Membership.objects.select_for_update(of=("self",)).select_related("level").get(pk=membership.pk)
    kept, removed = _split(paid)
    through = max((day for day, _level in kept), default=row.starts_on)
    if removed or row.paid_through < through:
        row.recalculate(kept, removed)
        row.save(update_fields=["level", "paid_through", "grace_through", "ended_on"])


@transaction.atomic
def end(membership: Membership, on: date) -> None:
    """End a membership: `on` is the first day without access. No grace period follows.

    Paid days stay: the membership never ends before `paid_through` has passed. If it is ended twice, the earlier end
    counts. Idempotent; `end` and `renew` leave the same row in either order.
    """
    fresh = Membership.objects.select_for_update().get(pk=membership.pk)
    fresh.end_on(on)
    fresh.save(update_fields=["ended_on"])
    membership.ended_on = fresh.ended_on


def _split(paid: Iterable[Paid]) -> tuple[list[tuple[date, Level]], list[tuple[date, Level]]]:
    """Return the last paid days that count and those that do not, each with the level its payment earned."""
    kept: list[tuple[date, Level]] = []
    removed: list[tuple[date, Level]] = []
    earned: dict[tuple[int, str], Level] = {}
    for each in paid:
        amount = (each.monthly_amount, each.currency)
        level = earned[amount] = earned.get(amount) or levels.for_amount(*amount)
        counts = level.stays_when_sent_back or not each.has_gone_back
        (kept if counts else removed).append((each.paid_through, level))
    return kept, removed


def _find_and_lock(source: str) -> Membership | None:
    return Membership.objects.select_for_update(of=("self",)).select_related("level").filter(source=source).first()


def _create_and_lock(
    supporter: Supporter, source: str, starts_on: date, paid_through: date, level: Level
) -> Membership:
    """Create the membership of this source, or take the one that was created concurrently; return it, locked."""
    grace_through = paid_through + timedelta(days=level.grace_days)
    row = Membership(
        supporter=supporter,
        level=level,
        source=source,
        starts_on=starts_on,
        paid_through=paid_through,
        grace_through=grace_through,
    )
    Membership.objects.bulk_create([row], ignore_conflicts=True)
    found = _find_and_lock(source)
    if found is None:
        raise RuntimeError("A membership disappeared while it was being created.")
    return found
