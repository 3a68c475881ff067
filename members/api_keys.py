"""API keys for the newsroom's other servers. A key is shown once, stored as a hash, and revoked for good.

Called by the command `create_api_key`, by the admin that revokes keys (members/admin/access.py) and by the API that
checks them (members/views/api.py).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.db.models import QuerySet

from members import clock
from members.models import ApiKey

ENTITLEMENTS_READ = "entitlements:read"
SCOPES = (ENTITLEMENTS_READ,)
PREFIX = "hr_"  # so that people and secret scanners recognise a leaked key
RANDOM_BYTES = 32


def create(name: str, scope: str) -> tuple[ApiKey, str]:
    """Create an API key; return its row and the key itself, which is stored nowhere.

    Raises ValueError if the scope is unknown. Not idempotent: each call creates another key.
    """
    if scope not in SCOPES:
        raise ValueError(f"There is no scope {scope}.")
    text = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    return ApiKey.objects.create(name=name, scope=scope, hashed_key=hashed(text)), text


def find(text: str) -> ApiKey | None:
    """Return the row of this key, or None if it does not exist or was revoked. One query."""
    return ApiKey.objects.filter(hashed_key=hashed(text), revoked_at=None).first()


def revoke(keys: QuerySet[ApiKey], at: datetime | None = None) -> int:
    """Revoke these keys from now on (or from `at`); return how many were not revoked before. Idempotent."""
    return keys.filter(revoked_at=None).update(revoked_at=at or clock.now())


def hashed(text: str) -> str:
    """Return the hash under which a key is stored.

    A key has 256 random bits and cannot be guessed, so the hash needs no salt and need not be slow.
    """
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
