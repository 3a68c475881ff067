"""Public ids: the random UUIDs that name a row in links, forms and Stripe's metadata, where a number would count."""

from __future__ import annotations

import uuid


def parse(text: str | None) -> uuid.UUID | None:
    """Return the UUID that a text from outside spells, or None."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None
