"""The values of the newsroom's settings: the newest version in the database, else the environment.

A process keeps what it read for FRESH_SECONDS, so that no page costs a query more; the process that saves a version
knows it at once. Without the database the last known values hold, so that error pages still name the newsroom.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import DatabaseError

from members.models import Newsroom
from members.newsroom.fields import FIELDS

FRESH_SECONDS = 5.0
NEVER = float("-inf")


class _Known:
    """The values that this process read last, and the time of that."""

    values: dict[str, Any] = {}
    read_at = NEVER


def text(name: str) -> str:
    return str(value(name))


def number(name: str) -> int:
    return int(value(name))


def lines(name: str) -> list[str]:
    return list(value(name))


def value(name: str) -> Any:
    """Return a setting by its name in the environment. KeyError for one that staff cannot set."""
    setting = FIELDS[name]
    return stored().get(name, setting.default)


def stored() -> dict[str, Any]:
    """Return what staff have set. One query, unless this process made it less than FRESH_SECONDS ago."""
    now = time.monotonic()
    if now - _Known.read_at >= FRESH_SECONDS:
        try:
            newest = Newsroom.objects.values_list("values", flat=True).first()
        except DatabaseError:
            remember(_Known.values)  # so that an outage costs no page more than one try
        else:
            remember(newest or {})
    return _Known.values


def remember(values: dict[str, Any]) -> None:
    """Take these values as what staff have set, until they are read again."""
    _Known.values, _Known.read_at = values, time.monotonic()


def forget() -> None:
    """Read at the next use."""
    _Known.read_at = NEVER
