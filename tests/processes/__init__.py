"""Finding what a test has started, and waiting for it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path

import psutil


def new_mark() -> str:
    """Put it into the environment (TEST_MARK) of what a test starts, to find it and all its descendants again."""
    return f"mark-{secrets.token_hex(8)}"


def marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TEST_MARK") == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def at_work_in(folder: Path) -> list[psutil.Process]:
    """Keepers and servers of a data folder, known by their command line or working folder."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), process.cwd()]
        except psutil.Error:
            continue
        if any(word == str(folder) or word.startswith(f"{folder}/") for word in words):
            found.append(process)
    return found


def eventually(what: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
