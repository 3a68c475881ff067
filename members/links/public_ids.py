"""Public ids: random UUIDs for rows in links, forms and Stripe's metadata, where a number could be guessed."""

from __future__ import annotations

import uuid


def parse(text: str | None) -> uuid.UUID | None:
    """Return the UUID that an untrusted text contains, or None if it is not one."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None
