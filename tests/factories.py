"""Rows that tests stand on, made by plain functions. Say only what the test is about; the rest is ordinary."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

from members.models import Level, LevelAmount, LevelName, Membership, Supporter

_numbers = itertools.count(1)


def supporter(**values: Any) -> Supporter:
    number = next(_numbers)
    return Supporter.objects.create(**{"email": f"reader{number}@example.org", "name": f"Reader {number}", **values})


def level(slug: str = "friend", rank: int = 2, amounts: dict[str, int] | None = None, **values: Any) -> Level:
    """A level; `amounts` are monthly, in minor units by currency. The first level, `patron`, is there already."""
    made = Level.objects.create(slug=slug, rank=rank, **values)
    LevelName.objects.create(level=made, language="en", name=slug.title())
    for currency, amount in (amounts or {}).items():
        LevelAmount.objects.create(level=made, currency=currency, monthly_amount=amount)
    return made


def membership(who: Supporter | None = None, **values: Any) -> Membership:
    """Paid through 20 January 2026 from 20 December 2025, two weeks of grace, unless told otherwise."""
    paid_through: date = values.get("paid_through", date(2026, 1, 20))
    ordinary: dict[str, Any] = {
        "source": f"test:{next(_numbers)}",
        "starts_on": paid_through - timedelta(days=31),
        "grace_through": paid_through + timedelta(days=14),
    }
    values.setdefault("level", Level.objects.get(slug="patron"))
    return Membership.objects.create(
        supporter=who or supporter(), **{**ordinary, "paid_through": paid_through, **values}
    )
