"""Runs the suite on another day: `make test DAY="2028-02-29 10:00" ARGS=tests/journeys`.

libfaketime (Debian: `apt install faketime`) moves the clock of every process that the tests start, PostgreSQL, Valkey
and the simulator among them, by the same distance, so all of them agree and time goes on. `python -m tests.other_clock`
sets it up; `prepare` makes it work, also where somebody set it up by hand. Clocks that measure how long something takes
are left alone, and so is Chromium.
"""

from __future__ import annotations

import os
import select
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

# With the monotonic clock moved too, Python's threads wait for ever. With it left alone, libfaketime 0.9.10 spoils
# Python's sleep. The age of files is left alone as well: compiled modules are compared with it.
NEEDED = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
ZONE = ZoneInfo("Europe/Kyiv")
FOLDER = str(Path(__file__).parent)


def moment_of(text: str) -> datetime:
    """Return the moment that a text in ISO form names, Kyiv time unless it says otherwise. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)


def prepare() -> None:
    """Make this process, and all that it starts, work under libfaketime; do nothing without it. Idempotent."""
    if "FAKETIME" not in os.environ:
        return
    if NEEDED.items() - os.environ.items():
        os.environ.update(NEEDED)
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - ourselves again: libfaketime reads them at the start
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if FOLDER not in folders:  # sitecustomize.py there mends the sleep of Pythons that the tests start
        os.environ["PYTHONPATH"] = os.pathsep.join([FOLDER, *filter(None, folders)])
    time.sleep = sleep


def sleep(seconds: float) -> None:
    """Wait as `time.sleep` does, by a call that libfaketime leaves alone."""
    select.select([], [], [], seconds)
