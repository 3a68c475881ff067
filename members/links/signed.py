"""Signed tokens for addresses in letters and after Stripe: who holds the link may do its one thing, without signing in.

A token belongs to one purpose and one object. What it points at is looked up by the door that reads it. Those that act
run out, in real time; the door that reads such a one offers a fresh one by mail.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.core.signing import BadSignature, Signer

URL_SAFE = re.compile(r"[A-Za-z0-9_-]+")

# Days a link works. A way out must work for whoever opens last year's letter; the way back from Stripe only tells
# what became of a gift, and `unsubscribe` must never fail: neither runs out.
LIVES = {"stop": 400, "preferences": 400, "method": 60, "confirm": 60}
# The first parts of the addresses that carry a token: logs and the desk show them without it.
PATHS = ("stop", "preferences", "method", "confirm", "unsubscribe", "support/return", "me/sign-in")


def sign(purpose: str, value: str) -> str:
    """A token for `value`, such as a public id; the same value gives the same token all day.

    Raises ValueError for a value that could not stand in an address as it is.
    """
    if not URL_SAFE.fullmatch(value):
        raise ValueError("Only letters, digits, - and _ can be signed for an address.")
    if purpose in LIVES:
        value = f"{value}.{(_today() + timedelta(days=LIVES[purpose])).toordinal()}"
    return _signer(purpose).sign(value)


def url(purpose: str, value: str, language: str) -> str:
    """The page behind a token made now, such as `/stop/<token>/`, in a language. For purposes named like their path."""
    return f"{settings.SITE_URL}/{purpose}/{sign(purpose, value)}/?{urlencode({'lang': language})}"


def read(purpose: str, token: str) -> str | None:
    """What was signed for this purpose, or None for anything that was not or has run out."""
    value, last_day = _opened(purpose, token)
    return value if last_day is None or last_day >= _today() else None


def read_expired(purpose: str, token: str) -> str | None:
    """What a token of ours pointed at that has run out; None for any other."""
    value, last_day = _opened(purpose, token)
    return value if last_day is not None and last_day < _today() else None


def _opened(purpose: str, token: str) -> tuple[str | None, date | None]:
    try:
        value = _signer(purpose).unsign(token)
    except (BadSignature, UnicodeError):  # UnicodeError: characters no signature can hold
        return None, None
    if purpose not in LIVES:
        return value, None
    value, _sep, day = value.rpartition(".")
    return value, date.fromordinal(int(day))


def _today() -> date:
    return datetime.now(UTC).date()


def _signer(purpose: str) -> Signer:
    return Signer(salt=f"hromada.links.{purpose}", sep=".")
