"""Signed tokens for addresses in letters and after Stripe: who holds the link may do its one thing, without signing in.

A token belongs to one purpose and does not expire. What it points at is looked up by the door that reads it.
"""

from __future__ import annotations

import re

from django.core.signing import BadSignature, Signer

URL_SAFE = re.compile(r"[A-Za-z0-9_-]+")


def sign(purpose: str, value: str) -> str:
    """A token for `value`, such as a public id; the same value gives the same token.

    Raises ValueError for a value that could not stand in an address as it is.
    """
    if not URL_SAFE.fullmatch(value):
        raise ValueError("Only letters, digits, - and _ can be signed for an address.")
    return _signer(purpose).sign(value)


def read(purpose: str, token: str) -> str | None:
    """What was signed for this purpose, or None for anything that was not."""
    try:
        return _signer(purpose).unsign(token)
    except (BadSignature, UnicodeError):  # UnicodeError: characters no signature can hold
        return None


def _signer(purpose: str) -> Signer:
    return Signer(salt=f"hromada.links.{purpose}", sep=".")
