"""A finding of a check by `manage.py doctor`: how serious it is, its subject, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    level: Level
    what: str
    words: str

    def __str__(self) -> str:
        return f"{self.level:<4} {self.what}: {self.words}"


def ok(what: str, words: str) -> Finding:
    return Finding(Level.OK, what, words)


def warn(what: str, words: str) -> Finding:
    return Finding(Level.WARN, what, words)


def fail(what: str, words: str) -> Finding:
    return Finding(Level.FAIL, what, words)
