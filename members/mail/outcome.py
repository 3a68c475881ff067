"""The outcome of one attempt to send an email. Made by handoff.py and providers.py, recorded by sending.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

PointOfNoReturn = Callable[[], bool]


class Result(StrEnum):
    """SENT; LATER: not sent, try again; REFUSED for good; UNKNOWN: may have been sent; WITHHELD by the last check."""

    SENT = "sent"
    LATER = "later"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"


@dataclass(frozen=True)
class Outcome:
    """The result of one attempt.

    `is_server_away`: the server failed, not this email, so others need not be tried now. `is_untried`: the email did
    not reach the server, so no attempt is counted. `provider_id`: the provider's id of the email, for its reports.
    """

    result: Result
    error: str = ""
    is_server_away: bool = False
    is_untried: bool = False
    provider_id: str = ""
