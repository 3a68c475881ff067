"""The suite on another day: the moment that is asked for, and sleep that still takes its time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.other_clock import FOLDER, moment_of, sleep
from tests.other_clock.__main__ import variables


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2028-02-29", datetime(2028, 2, 28, 22, tzinfo=UTC)),
        ("2026-12-31 23:30", datetime(2026, 12, 31, 21, 30, tzinfo=UTC)),
        ("2027-10-31 03:30", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
        ("2027-10-31T03:30+02:00", datetime(2027, 10, 31, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_kyiv_s_unless_it_says_otherwise(text: str, moment: datetime) -> None:
    assert moment_of(text).timestamp() == moment.timestamp()


def test_the_clock_is_moved_by_the_distance_to_the_moment() -> None:
    moment = datetime(2028, 2, 29, 10, tzinfo=UTC)
    assert variables(moment, moment.timestamp() - 86_400, Path("lib.so"))["FAKETIME"] == "+86400"
    assert variables(moment, moment.timestamp() + 60, Path("lib.so"))["FAKETIME"] == "-60"


def test_sleep_takes_its_time_here_and_in_what_is_started() -> None:
    began = time.monotonic()
    sleep(0.05)
    assert time.monotonic() - began >= 0.05
    program = "import time; began = time.monotonic(); time.sleep(0.05); print(time.sleep, time.monotonic() - began)"
    environment = os.environ | {"PYTHONPATH": FOLDER}
    said = subprocess.check_output([sys.executable, "-c", program], env=environment, text=True)
    assert "built-in" not in said
    assert float(said.split()[-1]) >= 0.05
