"""Belonging begins, goes on and ends here. Called by the money floor with plain dates; knows no payment and no Stripe.

Facts arrive late, twice and in any order; the row they leave is always the same. That rests on three choices: a paid
day never moves back, the level is that of the latest paid day, and an end never takes away what was paid for. So a
payment that comes after the end does not bring the membership back to life: it moves the end behind the paid days.
Only `count_again` takes days away: those of money that went back, where the level says so.
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
    """What one payment paid for. `monthly_amount` is in minor units of `currency`; `has_gone_back`: all of it."""

    paid_through: date
    monthly_amount: int
    currency: str
    has_gone_back: bool


@transaction.atomic
def renew(
    *, supporter: Supporter, source: str, starts_on: date, paid_through: date, monthly_amount: int, currency: str
) -> Membership:
    """Paid from a day through a day for one reason to belong (`source`); makes the membership when it is new.

    `monthly_amount` is in minor units of `currency` (of a yearly gift, a twelfth) and decides the level. Raises
    ValueError when the dates are the wrong way round. Safe to call twice, at once, and in any order.
    """
    if paid_through < starts_on:
        raise ValueError("A membership cannot be paid through a day before it starts.")
    level = levels.for_amount(monthly_amount, currency)
    membership = _locked(source) or _made(supporter, source, starts_on, paid_through, level)
    membership.starts_on = min(membership.starts_on, starts_on)
    membership.pay_through(paid_through, level)
    membership.save(update_fields=["level", "starts_on", "paid_through", "grace_through", "ended_on"])
    return membership


@transaction.atomic
def count_again(membership: Membership, paid: Iterable[Paid]) -> None:
    """Make the days those of all payments for it, less those that went back where the level they earn gives no stay.

    Days taken away leave no grace; without any payment that counts, only the first day stays. What returns brings its
    days back, with grace. Nothing changes where nothing is taken away or given again. Safe to call twice, and in any
    order with `renew` and `end` when it is called after each `renew` (after an earlier end, call `end` again).
    """
    row = Membership.objects.select_for_update(of=("self",)).select_related("level").get(pk=membership.pk)
    kept, gone = _parted(paid)
    through = max((day for day, _level in kept), default=row.starts_on)
    if gone or row.paid_through < through:
        row.pay_anew(kept, gone)
        row.save(update_fields=["level", "paid_through", "grace_through", "ended_on"])


@transaction.atomic
def end(membership: Membership, on: date) -> None:
    """Ends a membership on a day: the first one on which it is over. No grace follows.

    What was paid for stays: before `paid_through` is over nothing ends. Of two ends the earlier counts. Safe to call
    twice and in any order with `renew`.
    """
    fresh = Membership.objects.select_for_update().get(pk=membership.pk)
    fresh.end_on(on)
    fresh.save(update_fields=["ended_on"])
    membership.ended_on = fresh.ended_on


def _parted(paid: Iterable[Paid]) -> tuple[list[tuple[date, Level]], list[tuple[date, Level]]]:
    """The days that count and the days that went back, each with the level its payment earned."""
    kept: list[tuple[date, Level]] = []
    gone: list[tuple[date, Level]] = []
    earned: dict[tuple[int, str], Level] = {}
    for each in paid:
        what = (each.monthly_amount, each.currency)
        level = earned[what] = earned.get(what) or levels.for_amount(*what)
        counts = level.stays_when_sent_back or not each.has_gone_back
        (kept if counts else gone).append((each.paid_through, level))
    return kept, gone


def _locked(source: str) -> Membership | None:
    return Membership.objects.select_for_update(of=("self",)).select_related("level").filter(source=source).first()


def _made(supporter: Supporter, source: str, starts_on: date, paid_through: date, level: Level) -> Membership:
    """The row of this source, ours or the one somebody made at the same moment; locked."""
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
    found = _locked(source)
    if found is None:
        raise RuntimeError("A membership vanished while it was made.")
    return found
