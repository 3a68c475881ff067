"""`make run` with everything it starts: it gets ready, survives kills, and stops without leaving anything."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import psutil
import pytest

from project import embedded
from project.embedded.files import free_port
from tests.processes import eventually, marked, new_mark

pytestmark = pytest.mark.processes
# What a machine with much else to do may take on top of the seconds without a word.
PATIENCE = 12.0


class House:
    """A `manage.py run` on a data folder of its own."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.folder = embedded.BASE_DIR / ".data" / "test" / mark
        self.site = f"http://127.0.0.1:{free_port()}"
        self.output = ""

    def environment(self) -> dict[str, str]:
        dropped = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "MAKELEVEL"}
        kept = {name: value for name, value in os.environ.items() if name not in dropped and "STRIPE" not in name}
        port = self.site.rpartition(":")[2]
        return {**kept, "TEST_MARK": self.mark, "DATA_DIR": str(self.folder), "PORT": port}

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "manage.py", *words]
        return subprocess.run(
            argv, cwd=embedded.BASE_DIR, env=self.environment(), capture_output=True, text=True, timeout=120
        )

    def start(self, *words: str) -> float:
        """Start the run and wait until it says that it is ready; return the seconds this took."""
        began = time.monotonic()
        self.run = subprocess.Popen(
            [sys.executable, "manage.py", "run", *words],
            cwd=embedded.BASE_DIR,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.run.stdout is not None
        self.output, self.silences, said_at = "", [0.0], began
        for line in self.run.stdout:
            now = time.monotonic()
            self.silences.append(now - said_at)
            self.output, said_at = self.output + line, now
            self.look(line)
            if "Ctrl-C stops everything" in line:
                return now - began
        raise AssertionError(f"It did not get ready:\n{self.output}")

    def look(self, line: str) -> None:
        """While the demo data grows nobody is let in."""
        if re.match(r"Demo data: \d", line):
            with pytest.raises(OSError, match="refused"):
                self.status("/healthz")

    def status(self, path: str) -> int:
        with urllib.request.urlopen(self.site + path, timeout=10) as answer:  # noqa: S310 our own address
            return int(answer.status)

    def program(self, *words: str) -> psutil.Process | None:
        """Return the leader of the process group of a program, found by words of its command line, or None."""
        for process in marked(self.mark):
            try:
                if set(words) <= set(process.cmdline()) and os.getpgid(process.pid) == process.pid:
                    return process
            except (psutil.Error, ProcessLookupError):
                continue
        return None


@pytest.fixture
def house() -> Iterator[House]:
    one = House(new_mark())
    yield one
    for process in marked(one.mark):
        process.kill()
    shutil.rmtree(one.folder, ignore_errors=True)


def test_a_port_taken_by_another_program_is_said(house: House) -> None:
    with socket.create_server(("127.0.0.1", int(house.site.rpartition(":")[2]))):
        result = house.manage("run")
    assert result.returncode == 1
    assert "is taken by another program" in result.stderr
    assert "Traceback" not in result.stderr


def the_first_start_tells_how_far_it_is_and_of_nothing_wrong(house: House) -> None:
    lines = house.output.splitlines()
    told = [line for line in lines if re.match(r"Demo data: \d", line)]
    assert len(told) > 2
    assert all(re.fullmatch(r"Demo data: \d+ of 42 supporters, [A-Z][a-z]+", line) for line in told)
    assert told[-1].startswith("Demo data: 42 of 42 supporters")
    ready = lines.index("Ready.")
    assert lines[ready + 1] == "Demo data is complete."
    assert lines.index(told[-1]) < lines.index("Demo data: comparing with Stripe") < ready
    assert not re.search(r"error|alert|warning|traceback| \| ", house.output, re.IGNORECASE), house.output
    assert max(house.silences) < 8 + PATIENCE, house.output


def test_everything_runs_survives_kills_and_leaves_nothing(house: House) -> None:
    house.start()
    the_first_start_tells_how_far_it_is_and_of_nothing_wrong(house)
    assert f"{house.site}/demo/article/" in house.output
    assert house.status("/readyz") == 200
    assert house.status("/support/") == 200

    again = house.manage("run")
    assert again.returncode == 1
    assert f"Already running at {house.site}" in again.stderr

    command = house.manage(
        "shell", "--no-imports", "-c", "from django.conf import settings as s; print(s.DEBUG, s.PORT)"
    )
    assert command.stdout.split() == ["True", house.site.rpartition(":")[2]], command.stderr

    for words in (("drain",), ("--queues=celery",), ("--queues=bulk",), ("beat",)):
        before = house.program(*words)
        assert before is not None
        before.kill()
        eventually(lambda words=words, before=before: (house.program(*words) or before).pid != before.pid)

    house.run.terminate()
    rest, _ = house.run.communicate(timeout=60)
    assert house.run.returncode == 0, rest
    assert marked(house.mark) == []

    house.start()
    assert "Demo data is complete." in house.output
    assert "Demo data: " not in house.output
    house.run.kill()
    house.run.communicate()
    eventually(lambda: marked(house.mark) == [])
