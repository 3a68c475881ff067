"""Where a test may kill the process, in the middle of things: nothing anywhere else.

`crash_at("before-commit")` does nothing, unless DEBUG is on and CRASH_AT in the environment names that point: then the
process ends there as if by kill -9. Held by tests/processes/test_crash_points.py.
"""

from __future__ import annotations

import os

from django.conf import settings

POINTS = (
    "after-claim",
    "after-stripe-read",
    "after-ledger-insert",
    "before-commit",
    "after-commit",
    "before-answer",
)


def _nothing(point: str) -> None:
    """Everywhere but in that test."""


def _die(point: str) -> None:
    if point == settings.CRASH_AT:
        os._exit(137)


crash_at = _die if settings.DEBUG and settings.CRASH_AT else _nothing
