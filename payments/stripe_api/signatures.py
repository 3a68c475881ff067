"""Stripe's webhook signatures. Our own few lines, because the SDK's check looks at one secret, raises on bytes that
are not ASCII and lets timestamps of next year through (it bounds only the past).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

TOLERANCE_SECONDS = 300
LONGEST_HEADER = 4096


def is_valid(body: bytes, header: str, secrets: Iterable[str], now: float) -> bool:
    """Is this body signed with one of the secrets, within 300 s before or after now? Never raises."""
    if not is_in_form(header, now):
        return False
    timestamp, signatures = _parts(header)
    signed = timestamp.encode() + b"." + body
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets if secret]
    # Every pair is compared, in constant time each: nothing tells which secret or signature was near.
    return any([hmac.compare_digest(mine, theirs) for mine in expected for theirs in signatures])  # noqa: C419


def is_in_form(header: str, now: float) -> bool:
    """Does it look like Stripe's, of this moment, whoever signed it? With a wrong secret of ours it still does."""
    if len(header) > LONGEST_HEADER or not header.isascii():
        return False
    timestamp, signatures = _parts(header)
    is_now = timestamp.isdecimal() and len(timestamp) < 12 and abs(now - int(timestamp)) <= TOLERANCE_SECONDS
    return is_now and bool(signatures)


def is_live_key(secret_key: str) -> bool:
    return secret_key.startswith(("sk_live_", "rk_live_"))


def _parts(header: str) -> tuple[str, list[str]]:
    timestamp, signatures = "", []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            timestamp = value
        elif name == "v1":
            signatures.append(value)
    return timestamp, signatures[:10]
