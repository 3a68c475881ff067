"""Adds what the demo supporters need around them: levels of membership, and a login for the desk."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth import get_user_model

from members.models import Level, LevelAmount, LevelName
from payments import money

# About one euro in major units of each currency; the levels' amounts are multiples of it.
WORTH = {
    "EUR": 1,
    "USD": 1,
    "GBP": 1,
    "CAD": 1,
    "AUD": 2,
    "CHF": 1,
    "SEK": 10,
    "NOK": 10,
    "DKK": 8,
    "PLN": 4,
    "CZK": 25,
    "HUF": 400,
    "UAH": 45,
    "JPY": 150,
}


def make_levels() -> None:
    """Add two levels to the one that every installation has: from 5 and from 20 euros a month. Idempotent."""
    for rank, slug, english, ukrainian, euros in (
        (2, "friend", "Friend of the newsroom", "Дружнє коло", 5),
        (3, "guardian", "Guardian", "Опора", 20),
    ):
        level, is_new = Level.objects.get_or_create(slug=slug, defaults={"rank": rank, "grace_days": 14 + rank})
        if is_new:
            for language, name in (("en", english), ("uk", ukrainian)):
                LevelName.objects.create(level=level, language=language, name=name)
            for currency, units in WORTH.items():
                amount = money.from_major(euros * units, currency)
                LevelAmount.objects.create(level=level, currency=currency, monthly_amount=amount)


def make_staff() -> str:
    """Create the demo login "desk" if there is none, and return its password.

    The password is drawn at random once per data folder and stored there. Idempotent.
    """
    kept = settings.DATA_DIR / "demo_password"
    if not kept.exists():
        kept.write_text(secrets.token_urlsafe(9))
        kept.chmod(0o600)
    password: str = kept.read_text()
    user, is_new = get_user_model().objects.get_or_create(
        username="desk", defaults={"is_staff": True, "is_superuser": True, "email": "desk@example.org"}
    )
    if is_new or not user.check_password(password):
        user.set_password(password)
        user.save()
    return password
