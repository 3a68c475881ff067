"""Starts pytest under another clock: `python -m tests.other_clock "2028-02-29 10:00" ARGUMENTS OF PYTEST`."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.other_clock import NEEDED

ZONE = "Europe/Kyiv"
PLACES = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime", "/usr/lib64/faketime")
LIBRARY = "libfaketimeMT.so.1"


def main(words: list[str]) -> None:
    """Take this process's place with pytest under a clock that goes on from the moment that the first word names."""
    library = next((path for place in PLACES for path in Path("/").glob(f"{place[1:]}/{LIBRARY}")), None)
    if library is None:
        sys.exit("libfaketime is not installed here (Debian: apt install faketime).")
    try:
        moment = datetime.fromisoformat(words[0])
    except ValueError:
        sys.exit(f"{words[0]} is not a moment such as 2028-02-29 10:00.")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(ZONE))
    moved = {"LD_PRELOAD": str(library), "FAKETIME": f"{moment.timestamp() - time.time():+.0f}", "TZ": ZONE}
    argv = [sys.executable, "-m", "pytest", *words[1:]]
    os.execve(sys.executable, argv, {**os.environ, **NEEDED, **moved})  # noqa: S606 - our own Python


if __name__ == "__main__":
    main(sys.argv[1:])
