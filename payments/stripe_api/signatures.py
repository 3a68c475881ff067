"""Check the signatures of Stripe's webhooks, and recognise live keys. Called by payments/views/webhook.py.

Not the SDK's own check, because that knows one secret only, raises on bytes that are not ASCII, and accepts timestamps
in the future.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

TOLERANCE_SECONDS = 300
LONGEST_HEADER = 4096


def is_valid(body: bytes, header: str, secrets: Iterable[str], now: float) -> bool:
    """Return whether the body is signed with one of the secrets, 300 s before or after `now` at most. Never raises."""
    if not is_in_form(header, now):
        return False
    timestamp, signatures = _parts(header)
    signed = timestamp.encode() + b"." + body
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets if secret]
    # Every pair is compared, each in constant time, so that the duration does not show which secret or signature was
    # close.
    return any([hmac.compare_digest(good, given) for good in expected for given in signatures])  # noqa: C419


def is_in_form(header: str, now: float) -> bool:
    """Return whether the header has Stripe's form and a current timestamp, whoever made the signature.

    True for Stripe's own requests even when our secret is wrong.
    """
    if len(header) > LONGEST_HEADER or not header.isascii():
        return False
    timestamp, signatures = _parts(header)
    is_now = timestamp.isdecimal() and len(timestamp) < 12 and abs(now - int(timestamp)) <= TOLERANCE_SECONDS
    return is_now and bool(signatures)


def is_live_key(secret_key: str) -> bool:
    return secret_key.startswith(("sk_live_", "rk_live_"))


def _parts(header: str) -> tuple[str, list[str]]:
    """Return the timestamp, "" if there is none, and at most ten signatures of the scheme v1."""
    timestamp = ""
    signatures = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            timestamp = value
        elif name == "v1":
            signatures.append(value)
    return timestamp, signatures[:10]
