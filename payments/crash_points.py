"""Points in the code at which a test can kill the process. In production they do nothing.

With DEBUG on and CRASH_AT=before-commit in the environment, `crash_at("before-commit")` ends the process as kill -9
would (tests/processes/test_crash_points.py). A test that runs the code in its own process sets a `trap` instead: the
call then raises `Killed`, which no code of this project catches.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

IN_THE_DRAIN = ("after-claim", "after-stripe-read", "after-ledger-insert", "before-commit", "after-commit")
# Around a request to Stripe: our row is committed but nothing is sent yet; Stripe has answered but nothing is stored.
AROUND_A_WRITE = ("before-stripe-write", "after-stripe-write")
# Stripe has accepted a stop or a pause; the invoices that exist have yet to be looked at, or one is about to be voided.
AROUND_BILLS = ("before-bills", "before-void")
# An erased person's data is gone in a transaction that is not committed; it is committed and Stripe is yet to be asked.
AROUND_ERASING = ("before-forgotten", "after-forgotten")
POINTS = (*IN_THE_DRAIN, *AROUND_A_WRITE, *AROUND_BILLS, *AROUND_ERASING, "before-answer")


class Killed(BaseException):
    """Stands for the death of the process. Not an Exception, so that no error handling catches it."""


_traps: list[str] = []
_fatal = settings.CRASH_AT if settings.DEBUG else ""


def crash_at(point: str) -> None:
    """End the process, or raise Killed, if this point is set to crash; otherwise do nothing."""
    if point == _fatal:
        os._exit(137)
    if point in _traps:
        _traps.remove(point)
        raise Killed(point)


@contextmanager
def trap(point: str) -> Iterator[None]:
    """Make the first call of `crash_at(point)` within the block raise Killed; the block ends there, without error."""
    _traps.append(point)
    try:
        yield
    except Killed:
        pass
    finally:
        _traps.clear()
