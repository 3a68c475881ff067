"""Keys with which other servers of the newsroom ask: made once, shown once, kept as a hash, revoked for good.

Called by the command that makes keys, by the admin that revokes them and by the API that checks them.
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
PREFIX = "hr_"  # lets a person, and a scanner of published code, see what leaked
RANDOM_BYTES = 32


def create(name: str, scope: str) -> tuple[ApiKey, str]:
    """A new key: the row, and the text that exists nowhere else. Twice makes two. Raises ValueError: unknown scope."""
    if scope not in SCOPES:
        raise ValueError(f"There is no scope {scope}.")
    text = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    return ApiKey.objects.create(name=name, scope=scope, hashed_key=hashed(text)), text


def find(text: str) -> ApiKey | None:
    """The key this text is, unless it was revoked or never made. One query."""
    return ApiKey.objects.filter(hashed_key=hashed(text), revoked_at=None).first()


def revoke(keys: QuerySet[ApiKey], at: datetime | None = None) -> int:
    """From now on these keys open nothing. How many were revoked just now; safe to call twice."""
    return keys.filter(revoked_at=None).update(revoked_at=at or clock.now())


def hashed(text: str) -> str:
    """256 random bits need no salt and no slow hash: nobody can guess them one by one."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
