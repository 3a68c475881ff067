"""A limit on bulk reads from Stripe: they share Stripe's rate limit with the requests that readers wait for.

The drain's reads and every page of a list wait for it. A single call for a reader or for staff does not.
"""

from __future__ import annotations

import threading
import time

from django.conf import settings


class Budget:
    """At most STRIPE_READS_PER_SECOND reads per second in this process, evenly spaced. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Sleep until the next read may start."""
        with self._lock:
            now = time.monotonic()
            pause = max(0.0, self._next - now)
            self._next = max(now, self._next) + 1 / settings.STRIPE_READS_PER_SECOND
        time.sleep(pause)


budget = Budget()
