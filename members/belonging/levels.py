"""The rule for which level an amount earns. Levels, their names and amounts are rows that staff edit.

Called by memberships.py.
"""

from __future__ import annotations

from members.models import Level, LevelName

FIRST = "patron"
FIRST_NAMES = {"en": "Patron", "uk": "Спільнота"}


def for_amount(monthly_amount: int, currency: str) -> Level:
    """Return the highest level whose monthly amount is reached, or the lowest level if none is.

    `monthly_amount` is in minor units of `currency`; for a yearly gift, a twelfth of it. A level without an amount in
    this currency is not earned. Raises nothing: every gift earns a level. Idempotent.
    """
    earned = Level.objects.filter(amounts__currency=currency, amounts__monthly_amount__lte=monthly_amount)
    return earned.order_by("-rank").first() or lowest()


def lowest() -> Level:
    """Return the level with the lowest rank, which every gift earns.

    Creates the level `patron` if there is none: recording a payment must never wait for a setting. Idempotent; safe
    to call concurrently.
    """
    found = Level.objects.order_by("rank").first()
    if found is not None:
        return found
    level, _ = Level.objects.get_or_create(slug=FIRST, defaults={"rank": 1})
    names = [LevelName(level=level, language=language, name=name) for language, name in FIRST_NAMES.items()]
    LevelName.objects.bulk_create(names, ignore_conflicts=True)
    return level
