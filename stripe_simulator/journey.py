"""The clock of the control page: moves the site's business date and Stripe's date together, one day at a time.

Each day, the site moves first (`on_advance`, which runs its daily jobs), then Stripe's clock with the deliveries of
that day. It runs in a thread, so that the page can show the progress and stop it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Journey:
    """Moves the dates in a thread, at most one journey at a time. `problem`: the error that ended the last one."""

    def __init__(self, one_day_at_stripe: Callable[[], object], on_advance: Callable[[int], object] | None) -> None:
        self._one_day_at_stripe = one_day_at_stripe
        self._on_advance = on_advance
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.days_left = 0
        self.problem = ""

    def start(self, days: int) -> None:
        """Start to move by this many days. Raises ValueError while a journey is running."""
        with self._lock:
            if self.days_left:
                raise ValueError("The clock is already moving.")
            self.days_left, self.problem = days, ""
            self._thread = threading.Thread(target=self._run, name="stripe-simulator-journey", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self.days_left = 0

    def wait(self, timeout: float) -> bool:
        """Wait for the journey to end; return False if it is still running after `timeout` seconds."""
        if self._thread is not None:
            self._thread.join(timeout)
        return not self.days_left

    def _run(self) -> None:
        try:
            while self.days_left > 0:
                self.one_day()
                self.days_left = max(0, self.days_left - 1)
        except Exception as error:
            self.problem = f"The site's daily jobs failed: {type(error).__name__}: {error}"
            self.days_left = 0

    def one_day(self) -> None:
        # The site's date first, so that the site dates events of the new day with that day.
        if self._on_advance is not None:
            self._on_advance(1)
        self._one_day_at_stripe()
