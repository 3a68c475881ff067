"""Signed tokens for addresses in letters and after Stripe: who holds the link may do its one thing, without signing in.

A token belongs to one purpose and does not expire. What it points at is looked up by the door that reads it.
"""

from __future__ import annotations

from django.core.signing import BadSignature, Signer


def sign(purpose: str, value: str) -> str:
    """A token for `value`, safe inside an address. The same value gives the same token."""
    return _signer(purpose).sign_object(value)


def read(purpose: str, token: str) -> str | None:
    """What was signed for this purpose, or None for anything that was not."""
    try:
        value = _signer(purpose).unsign_object(token)
    except (BadSignature, ValueError):  # ValueError: bytes no signature of ours can hold
        return None
    return value if isinstance(value, str) else None


def _signer(purpose: str) -> Signer:
    return Signer(salt=f"hromada.links.{purpose}", sep=".")
