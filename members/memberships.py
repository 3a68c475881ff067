"""Belonging begins, goes on and ends here. Called by the money floor with plain dates; knows no payment and no Stripe.

Facts arrive late, twice and in any order; the row they leave is always the same. That rests on three choices: a paid
day never moves back, the level is that of the latest paid day, and an end never takes away what was paid for. So a
payment that comes after the end does not bring the membership back to life: it moves the end behind the paid days.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction

from members import levels
from members.models import Level, Membership, Supporter


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
def end(membership: Membership, on: date) -> None:
    """Ends a membership on a day: the first one on which it is over. No grace follows.

    What was paid for stays: before `paid_through` is over nothing ends. Of two ends the earlier counts. Safe to call
    twice and in any order with `renew`.
    """
    fresh = Membership.objects.select_for_update().get(pk=membership.pk)
    fresh.end_on(on)
    fresh.save(update_fields=["ended_on"])
    membership.ended_on = fresh.ended_on


def _locked(source: str) -> Membership | None:
    return Membership.objects.select_for_update(of=("self",)).select_related("level").filter(source=source).first()


def _made(supporter: Supporter, source: str, starts_on: date, paid_through: date, level: Level) -> Membership:
    """The row of this source, ours or the one somebody made at the same moment; locked."""
    grace_through = paid_through + timedelta(days=level.grace_days)
    row = Membership(
        supporter=supporter, level=level, source=source,
        starts_on=starts_on, paid_through=paid_through, grace_through=grace_through,
    )  # fmt: skip
    Membership.objects.bulk_create([row], ignore_conflicts=True)
    found = _locked(source)
    if found is None:
        raise RuntimeError("A membership vanished while it was made.")
    return found
