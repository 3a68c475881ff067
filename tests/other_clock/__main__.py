"""Starts pytest under another clock: `python -m tests.other_clock "2028-02-29 10:00" ARGUMENTS OF PYTEST`."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime
from pathlib import Path

from tests.other_clock import NEEDED, ZONE, moment_of

PLACES = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime", "/usr/lib64/faketime")
LIBRARY = "libfaketimeMT.so.1"


def variables(moment: datetime, now: float, library: Path) -> dict[str, str]:
    """Return the variables that move a process's clock from `now`, a Unix time, to a moment."""
    return {"LD_PRELOAD": str(library), "FAKETIME": f"{moment.timestamp() - now:+.0f}", "TZ": ZONE.key, **NEEDED}


def main(words: list[str]) -> None:
    """Replace this process by pytest under a clock that starts at the moment that the first word names."""
    library = next((path for place in PLACES for path in Path("/").glob(f"{place[1:]}/{LIBRARY}")), None)
    if library is None:
        sys.exit("libfaketime is not installed here (Debian: apt install faketime).")
    try:
        moment = moment_of(words[0])
    except ValueError:
        sys.exit(f"{words[0]} is not a moment such as 2028-02-29 10:00.")
    argv = [sys.executable, "-m", "pytest", *words[1:]]
    os.execve(sys.executable, argv, os.environ | variables(moment, time.time(), library))  # noqa: S606 - our own Python


if __name__ == "__main__":
    main(sys.argv[1:])
