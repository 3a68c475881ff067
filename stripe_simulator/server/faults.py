"""Faults on purpose: the next requests that match get an error, no answer, or a slow one.

`400` is a refusal with a code and a parameter, `reused` that of a key sent with other parameters before. The kinds
`commit_then_...` perform the request first, so that the caller cannot know whether it was performed. `slow` waits
before anything is done, `slow_work` while the idempotency key is in use, `slow_body` in the middle of the answer.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

KINDS = (
    "400",
    "401",
    "403",
    "403_kept",
    "404",
    "500",
    "429",
    "reused",
    "slow",
    "slow_work",
    "slow_body",
    "drop",
    "commit_then_500",
    "commit_then_timeout",
    "commit_then_drop",
)


@dataclass
class Fault:
    """A planned fault. `path`: a regular expression to find in the path; `seconds`: the delay; `times`: counts down.

    `code` and `param` are those of a refusal (400). A "403_kept" is stored for the key of its request. Raises
    ValueError for an unknown kind.
    """

    kind: str
    times: int = 1
    path: str = ""
    method: str = ""
    seconds: float = 1.0
    code: str = ""
    param: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; one of {', '.join(KINDS)}")

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in ("", method) and bool(re.search(self.path, path))


class Faults:
    """The planned faults, oldest first. Safe to use from any thread."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def plan(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Return the oldest fault that matches this request, and count it down; None if none matches."""
        with self._lock:
            for fault in self._waiting:
                if fault.fits(method, path):
                    fault.times -= 1
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
