"""A limit on bulk reads from Stripe: they share Stripe's rate limit with the requests that readers wait for.

The drain's reads, every page of a list and the comparison wait for it. A single call for a reader or for staff does
not. Stripe counts by account (https://docs.stripe.com/rate-limits), so all processes wait in one line, in Redis.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings

from members import limits
from payments.errors import TooManyRequests
from payments.stripe_api.sdk.connection import is_hurried

T = TypeVar("T")

LINE = "stripe"
# How long to wait, in seconds, each time Stripe asks us to slow down: other software on the account reads too.
SLOW_DOWN = (1, 2, 4)


def wait() -> None:
    """Sleep until the next read may start: STRIPE_READS_PER_SECOND per second for all processes, evenly spaced.

    Without Redis, each process makes a quarter of that. Safe to use from threads.
    """
    time.sleep(limits.place(LINE, settings.STRIPE_READS_PER_SECOND))


def read(call: Callable[[], T]) -> T:
    """Return what a read returns, made within the limit; if Stripe asks us to slow down, wait and read again.

    Raises what the read raises, and TooManyRequests after three such waits, or at once while a reader waits.
    """
    for seconds in SLOW_DOWN:
        wait()
        try:
            return call()
        except TooManyRequests:
            if is_hurried():
                raise
            time.sleep(seconds)
    wait()
    return call()
