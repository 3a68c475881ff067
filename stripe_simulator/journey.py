"""The clock of the control page: Stripe's date and the site's business date together, one day at a time.

Each day: Stripe's clock, then the deliveries of that day, then the hook, as if the days had really passed. In a thread,
so that the page can show how far it is and stop it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Journey:
    """At most one at a time; `problem` is what the last one stumbled over."""

    def __init__(self, one_day_at_stripe: Callable[[], object], on_advance: Callable[[int], object] | None) -> None:
        self._one_day_at_stripe = one_day_at_stripe
        self._on_advance = on_advance
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.days_left = 0
        self.problem = ""

    def start(self, days: int) -> None:
        """Raises ValueError while another one is under way."""
        with self._lock:
            if self.days_left:
                raise ValueError("The clock is already moving.")
            self.days_left, self.problem = days, ""
            self._thread = threading.Thread(target=self._run, name="stripe-simulator-journey", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self.days_left = 0

    def wait(self, timeout: float) -> bool:
        """False when it is still under way."""
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
        # The other date first: what happens at Stripe on the new day is then dated like it.
        if self._on_advance is not None:
            self._on_advance(1)
        self._one_day_at_stripe()
