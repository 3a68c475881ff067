"""Signed tokens for links in emails and for the way back from Stripe: anyone with the link may use it, without sign-in.

A token is valid for one purpose and one object, which the view that reads it looks up. Tokens that allow an action
expire, in real time; the view then offers a new link by email (members/links/pages.py).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import unquote, urlencode

from django.conf import settings
from django.core.signing import Signer
from django.utils.crypto import constant_time_compare

URL_SAFE = re.compile(r"[A-Za-z0-9_-]+")

# Days that a link works. Stopping must work from a year-old email. `unsubscribe`, which is not listed, must never fail.
LIVES = {
    "stop": 400,
    "preferences": 400,
    "method": 60,
    "card": 60,
    "confirm": 60,
    "again": 60,
    "return": 60,
    "begin": 1,
}
# The parts of addresses that come before a token: logs and the staff desk show these addresses without the token.
PATHS = (
    "stop",
    "preferences",
    "method",
    "confirm",
    "unsubscribe",
    "support/return",
    "support/begin",
    "me/sign-in",
    "admin/invitation",
)
# A token in an address, after the path or the parameter that it belongs to (the first group).
IN_ADDRESS = re.compile(rf"((?:/(?:{'|'.join(PATHS)})/|[?&;]again=))[^/\s\"'<>?#&]+")


def sign(purpose: str, value: str, not_after: date | None = None) -> str:
    """Return a token for `value`, such as a public id. Within a UTC day the same value gives the same token.

    `not_after` is the last day of the link that leads to this one: no link makes one that lives longer than itself. A
    purpose that never expires takes none. Raises ValueError if the value has characters other than letters, digits,
    `-` and `_`.
    """
    if not URL_SAFE.fullmatch(value):
        raise ValueError("Only letters, digits, - and _ can be signed for an address.")
    if purpose in LIVES:
        last_day = _today() + timedelta(days=LIVES[purpose])
        value = f"{value}.{min(last_day, not_after or last_day).toordinal()}"
    return _signer(purpose).sign(value)


def url(purpose: str, value: str, language: str) -> str:
    """Return the full address of a page with a new token, such as `/stop/<token>/?lang=uk`.

    Works for purposes that are named like the first part of their path. Raises ValueError as `sign` does.
    """
    return f"{settings.SITE_URL}/{purpose}/{sign(purpose, value)}/?{urlencode({'lang': language})}"


def read(purpose: str, token: str) -> str | None:
    """Return the value signed in a token for this purpose, or None if the token is not valid or has expired."""
    value, last_day = _unsign(purpose, token)
    return value if last_day is None or last_day >= _today() else None


def last_day(purpose: str, token: str) -> date | None:
    """Return the last day on which a token for this purpose works; None if it is not valid or never expires."""
    return _unsign(purpose, token)[1]


def read_expired(purpose: str, token: str) -> str | None:
    """Return the value of a token that was valid for this purpose and has expired; None for any other token."""
    value, last_day = _unsign(purpose, token)
    return value if last_day is not None and last_day < _today() else None


def _unsign(purpose: str, token: str) -> tuple[str | None, date | None]:
    """Return a token's value and the last day it works (None if it never expires); both None if it is not valid."""
    signed_value, _sep, signature = _without_damage(token).rpartition(".")
    value = next((each for each in (signed_value, signed_value.lower()) if _is_signed(purpose, each, signature)), None)
    if value is None:
        return None, None
    if purpose not in LIVES:
        return value, None
    value, _sep, day = value.rpartition(".")
    return (value, date.fromordinal(int(day))) if value else (None, None)  # one that was made before it expired


def _without_damage(token: str) -> str:
    """Return a token without what mail programs and readers add to an address: brackets, quotes, commas, line breaks.

    Also without an entity, a slash and what follows them.
    """
    return re.sub(r"[^A-Za-z0-9_.-]", "", re.split(r"[/&]", unquote(token), maxsplit=1)[0]).strip(".")


def _is_signed(purpose: str, value: str, signature: str) -> bool:
    """Return whether this is the value's signature, with a present or an earlier key, whatever the case of its letters.

    Some mail programs write addresses in small letters. Without its case a signature still has over 200 bits.
    """
    signer = _signer(purpose)
    keys = (signer.key, *signer.fallback_keys)
    return any(constant_time_compare(signature.lower(), signer.signature(value, key).lower()) for key in keys)


def _today() -> date:
    return datetime.now(UTC).date()


def _signer(purpose: str) -> Signer:
    return Signer(salt=f"hromada.links.{purpose}", sep=".")
