"""Fields that Stripe's objects have in common: references and times. Called by objects.py and account.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def id_of(value: Any) -> str:
    """Return the id of a reference, whether it is expanded or not; "" if there is none."""
    if isinstance(value, Mapping):
        return str(value.get("id") or "")
    return str(value or "")


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def moment_or_none(seconds: int | None) -> datetime | None:
    return None if seconds is None else moment(seconds)
