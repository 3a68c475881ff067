"""Which level an amount earns. Levels, their names and amounts are rows that staff edit; here is only the rule.

Called by memberships.renew, and by whoever wants to tell a reader what an amount would earn.
"""

from __future__ import annotations

from members.models import Level, LevelName

FIRST = "patron"
FIRST_NAMES = {"en": "Patron", "uk": "Спільнота"}


def for_amount(monthly_amount: int, currency: str) -> Level:
    """The highest level whose amount is reached; where none is, the lowest level.

    `monthly_amount` is in minor units of `currency`; of a yearly gift, a twelfth. A level without an amount in this
    currency is not earned by it. Raises nothing: every gift earns a level. Safe to call twice.
    """
    earned = Level.objects.filter(amounts__currency=currency, amounts__monthly_amount__lte=monthly_amount)
    return earned.order_by("-rank").first() or lowest()


def lowest() -> Level:
    """What every gift earns. Makes the first level where there is none: money must never wait for a setting."""
    found = Level.objects.order_by("rank").first()
    if found is not None:
        return found
    level, _ = Level.objects.get_or_create(slug=FIRST, defaults={"rank": 1})
    names = [LevelName(level=level, language=language, name=name) for language, name in FIRST_NAMES.items()]
    LevelName.objects.bulk_create(names, ignore_conflicts=True)
    return level
