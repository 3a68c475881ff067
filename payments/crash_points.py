"""Where a test may kill the process, in the middle of things: nothing anywhere else.

`crash_at("before-commit")` does nothing, unless DEBUG is on and CRASH_AT in the environment names that point: then the
process ends there as if by kill -9. Held by tests/processes/test_crash_points.py. A test that is itself the process
sets a `trap` instead: what was under way ends there with `Killed`, which nothing of ours catches.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

IN_THE_DRAIN = ("after-claim", "after-stripe-read", "after-ledger-insert", "before-commit", "after-commit")
# Around what we ask of Stripe: the row is committed and nothing asked; Stripe has answered and nothing is written.
AROUND_A_WRITE = ("before-stripe-write", "after-stripe-write")
POINTS = (*IN_THE_DRAIN, *AROUND_A_WRITE, "before-answer")


class Killed(BaseException):
    """No Exception: whoever mends what went wrong must not mend being dead."""


_traps: list[str] = []
_fatal = settings.CRASH_AT if settings.DEBUG else ""


def crash_at(point: str) -> None:
    if point == _fatal:
        os._exit(137)
    if point in _traps:
        _traps.remove(point)
        raise Killed(point)


@contextmanager
def trap(point: str) -> Iterator[None]:
    """Within it the first to come to that point is killed there; whoever set the trap lives on."""
    _traps.append(point)
    try:
        yield
    except Killed:
        pass
    finally:
        _traps.clear()
