"""How often this process may ask Stripe for many things: Stripe's limit is shared with the readers' gifts.

Waited for by the drain's reads and before every page of a list. A single call for a reader or for staff does not wait.
"""

from __future__ import annotations

import threading
import time

from django.conf import settings


class Budget:
    """At most so many reads a second, evenly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        with self._lock:
            now = time.monotonic()
            pause = max(0.0, self._next - now)
            self._next = max(now, self._next) + 1 / settings.STRIPE_READS_PER_SECOND
        time.sleep(pause)


budget = Budget()
