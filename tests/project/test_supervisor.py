"""The supervisor shows, restarts and stops programs, and leaves none running."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from project import embedded
from project.supervisor import KeepsDying, Program, Supervisor
from tests.processes import eventually, marked, new_mark

pytestmark = pytest.mark.processes

# The watchdog reads no site packages, so tests/other_clock cannot mend its sleep; nothing here hangs on the date.
ITS_OWN_CLOCK = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
# Ignores SIGTERM and has a child that does too, so that only killing the whole group ends both.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, __file__, "child"])
print("up", flush=True)
time.sleep(60)
"""
SUPERVISED = """
import os, sys
from project.supervisor import Program, Supervisor
supervisor = Supervisor(os.environ, sys.stdout)
supervisor.keep(Program("stubborn", [sys.executable, sys.argv[1]]))
while True:
    supervisor.step()
"""


def polite(name: str, noted: Path) -> Program:
    """A program that stops when asked, and writes its name down as it does."""
    leaves = f"""
import signal, sys, time
def leave(*_):
    open({str(noted)!r}, 'a').write(sys.argv[1]); sys.exit()
signal.signal(signal.SIGTERM, leave)
print('up', flush=True)
time.sleep(60)
"""
    return Program(name, [sys.executable, "-c", leaves, f"{name} "])


@pytest.fixture
def mark() -> str:
    return new_mark()


@pytest.fixture
def supervisor(mark: str) -> Iterator[Supervisor]:
    one = Supervisor({**os.environ, "TEST_MARK": mark}, io.StringIO(), first_delay=0.01, patience=0.3)
    yield one
    one.stop()
    assert marked(mark) == []


def test_what_a_program_says_is_shown_behind_its_name(supervisor: Supervisor) -> None:
    code = supervisor.run(Program("teller", [sys.executable, "-c", "print('one'); print('two', end='')"]))
    assert code == 0
    assert supervisor.output.getvalue() == "teller    | one\nteller    | two\n"


def test_what_is_said_to_everybody_is_shown_without_a_name(supervisor: Supervisor) -> None:
    words = "print('Demo data: 1 of 2'); print('a warning')"
    supervisor.run(Program("teller", [sys.executable, "-c", words], speaks="Demo data"))
    assert supervisor.output.getvalue() == "Demo data: 1 of 2\nteller    | a warning\n"


def test_a_killed_program_comes_back(supervisor: Supervisor) -> None:
    program = Program("sleeper", SLEEPER)
    supervisor.keep(program)
    assert program.process is not None
    first = program.process.pid
    os.kill(first, signal.SIGKILL)

    def is_back() -> bool:
        supervisor.step(0.01)
        return program.process is not None and program.process.pid != first

    eventually(is_back)
    assert "stopped (by signal SIGKILL); starting it again" in supervisor.output.getvalue()


def test_a_program_that_keeps_dying_is_given_up_with_its_last_words(supervisor: Supervisor) -> None:
    supervisor.keep(Program("weak", [sys.executable, "-c", "raise SystemExit('I cannot go on')"]))

    def watch() -> bool:
        supervisor.step(0.01)
        return False

    with pytest.raises(KeepsDying, match=r"weak keeps stopping. Its last words:\n(.*\n)*  I cannot go on"):
        eventually(watch)


def test_programs_stop_in_order_and_stubborn_ones_are_ended(supervisor: Supervisor, tmp_path: Path) -> None:
    script, noted = tmp_path / "stubborn.py", tmp_path / "order"
    script.write_text(STUBBORN)
    for name in ("first", "second"):
        supervisor.keep(polite(name, noted))
    supervisor.keep(Program("stubborn", [sys.executable, str(script)]))

    def all_up() -> bool:
        supervisor.step(0.01)
        return supervisor.output.getvalue().count("up") == 4

    eventually(all_up)
    supervisor.stop()
    assert noted.read_text() == "first second "


def test_the_order_of_stopping_need_not_be_that_of_starting(supervisor: Supervisor, tmp_path: Path) -> None:
    noted = tmp_path / "order"
    planned = [polite(name, noted) for name in ("first", "second", "never started")]
    supervisor.plan(planned)
    supervisor.keep(planned[1])
    supervisor.keep(planned[0])

    def both_up() -> bool:
        supervisor.step(0.01)
        return supervisor.output.getvalue().count("up") == 2

    eventually(both_up)
    supervisor.stop()
    assert noted.read_text() == "first second "


@pytest.mark.parametrize("kills_watchdog_first", [False, True])
def test_killing_the_supervisor_leaves_no_process_behind(mark: str, tmp_path: Path, kills_watchdog_first: bool) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(STUBBORN)
    run = subprocess.Popen(
        [sys.executable, "-c", SUPERVISED, str(script)],
        cwd=embedded.BASE_DIR,
        env=ITS_OWN_CLOCK | {"TEST_MARK": mark},
        stdout=subprocess.DEVNULL,
    )
    eventually(lambda: len(marked(mark)) == 4)
    if kills_watchdog_first:
        watchdog = next(found for found in marked(mark) if any("watchdog" in word for word in found.cmdline()))
        watchdog.kill()
        eventually(lambda: not watchdog.is_running() or watchdog.status() == psutil.STATUS_ZOMBIE)
        eventually(lambda: len(marked(mark)) == 4)
        time.sleep(0.2)
    run.kill()
    run.wait()
    eventually(lambda: marked(mark) == [])
