"""The fields that Stripe's objects share: references, expanded or not, and moments. For the shapes beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def id_of(value: Any) -> str:
    """The id of a reference, expanded or not; "" for none."""
    if isinstance(value, Mapping):
        return str(value.get("id") or "")
    return str(value or "")


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def moment_or_none(seconds: int | None) -> datetime | None:
    return None if seconds is None else moment(seconds)
