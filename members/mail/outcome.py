"""What became of handing a letter over. Made by the ways out (members/mail/handoff.py), written down by the sending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

PointOfNoReturn = Callable[[], bool]


class Result(StrEnum):
    SENT = "sent"
    LATER = "later"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"


@dataclass(frozen=True)
class Outcome:
    """`is_server_away`: it was not about this letter, so the next one need not try now. `is_untried`: it was not even
    offered, so it costs no try. `provider_id`: what a provider calls it when it tells about it later.
    """

    result: Result
    error: str = ""
    is_server_away: bool = False
    is_untried: bool = False
    provider_id: str = ""


def in_words(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"
