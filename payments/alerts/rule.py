"""A rule behind an alert: its check, and the words for staff. The catalogue is rules.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from payments.alerts.looks import Look


@dataclass(frozen=True)
class Rule:
    """A rule: `look` returns None if all is well, else the facts for `words`.

    A rule that is not grave is a warning: it is logged, and emailed to nobody. A costly rule is checked by the daily
    jobs and by `doctor`, not every minute. `desk` is the address on the staff desk that helps, if there is one.
    """

    name: str
    look: Look
    subject: Any
    words: Any
    todo: Any
    desk: str = ""
    is_grave: bool = True
    is_costly: bool = False
