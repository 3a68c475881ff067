"""Running several programs in one terminal: start them, show their output, restart them, stop them in order.

There is one thread and one loop, `step`. Each line of output is shown behind the program's name. Used by the command
`run`; project/watchdog.py ends the programs if this process is killed.
"""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TextIO

from project.watchdog import Watchdog, signal_group

RESTARTS = 5
CALM_SECONDS = 60.0
STOP_ALL_SECONDS = 8.0
COLOURS = (36, 33, 35, 32, 34, 31)


class KeepsDying(Exception):
    """A program died too often to be restarted again. The message names it, with its last lines of output."""


@dataclass(eq=False)
class Program:
    """A program to run, and its current state.

    A line of output that begins with `speaks` is shown as it is, every other line behind the program's name.
    """

    name: str
    argv: list[str]
    speaks: str | None = None
    process: subprocess.Popen[bytes] | None = None
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=40))
    unfinished: bytes = b""
    died_at: list[float] = field(default_factory=list)
    start_at: float = 0.0


class Supervisor:
    """Keeps programs running, in process groups that a watchdog ends if this process is killed."""

    def __init__(
        self,
        env: Mapping[str, str],
        output: TextIO,
        is_quiet: Callable[[str], bool] = lambda line: False,
        first_delay: float = 0.2,
        patience: float = 5.0,
    ) -> None:
        """Both times are in seconds: `first_delay` before a restart, doubled each time; `patience` for each stop."""
        self.env = {**env, "PYTHONUNBUFFERED": "1"}
        self.output = output
        self.is_quiet = is_quiet
        self.first_delay = first_delay
        self.patience = patience
        self.programs: list[Program] = []
        self.shown_at = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._watchdog = Watchdog()

    def plan(self, programs: list[Program]) -> None:
        """Set the order in which programs are stopped, whatever the order in which `keep` starts them."""
        for program in programs:
            program.start_at = math.inf
        self.programs = programs

    def keep(self, program: Program, in_seconds: float = 0.0) -> None:
        """Start a program, now or in some seconds, and restart it in `step` whenever it dies."""
        if program not in self.programs:
            self.programs.append(program)
        program.start_at = time.monotonic() + in_seconds
        if not in_seconds:
            self._start(program)

    def run(self, program: Program, go_on: Callable[[], bool] = lambda: True) -> int:
        """Run a program to its end while the others keep running; return its exit code.

        If `go_on` returns False, the program is killed. Raises KeepsDying if another program dies too often.
        """
        self._start(program)
        try:
            while program.process is not None and program.process.poll() is None and go_on():
                self.step()
        finally:
            code = self._end(program)
        return code

    def step(self, seconds: float = 0.1) -> None:
        """Show new output for up to `seconds`, and restart programs that died. Raises KeepsDying."""
        self._listen(seconds)
        self._watchdog.check()
        for program in self.programs:
            self._look_after(program)

    def stop(self, must_hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop all programs in the order of `plan`, else in that in which they were started; then the watchdog.

        Each has `patience` seconds, all together STOP_ALL_SECONDS; `must_hurry` returning True kills them immediately.
        """
        deadline = time.monotonic() + STOP_ALL_SECONDS
        for program in self.programs:
            if program.process is not None:
                program.process.terminate()
                patience = min(deadline, time.monotonic() + self.patience)
                while program.process.poll() is None and time.monotonic() < patience and not must_hurry():
                    self._listen(0.02)
                self._end(program)
        self._watchdog.close()

    def _start(self, program: Program) -> None:
        program.process = self._watchdog.start(program.argv, self.env)
        assert program.process.stdout is not None  # noqa: S101 Watchdog.start makes a pipe
        os.set_blocking(program.process.stdout.fileno(), False)
        self._selector.register(program.process.stdout, selectors.EVENT_READ, program)

    def _listen(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            self._read(key.data)

    def _read(self, program: Program) -> None:
        """Read and show complete lines; keep an incomplete one until its end arrives."""
        stream = program.process.stdout if program.process else None
        if stream is None:
            return
        data = stream.read(65536)
        if data == b"":
            self._selector.unregister(stream)
            stream.close()
        *lines, program.unfinished = (program.unfinished + (data or b"")).split(b"\n")
        self._show(program, lines)

    def _show(self, program: Program, lines: Iterable[bytes]) -> None:
        for raw in lines:
            line = raw.decode(errors="replace").rstrip()
            if not line:
                continue
            program.last_lines.append(line)
            if program.speaks and line.startswith(program.speaks):
                self._write(f"{line}\n")
            elif not self.is_quiet(line):
                self._write(f"{self._label(program)} {line}\n")

    def _write(self, line: str) -> None:
        # The programs keep running even if the terminal was closed.
        with contextlib.suppress(OSError):
            self.output.write(line)
            self.output.flush()
        self.shown_at = time.monotonic()

    def _label(self, program: Program) -> str:
        label = f"{program.name:<9} |"
        if not self.output.isatty():
            return label
        colour = COLOURS[sum(program.name.encode()) % len(COLOURS)]
        return f"\033[{colour}m{label}\033[0m"

    def _look_after(self, program: Program) -> None:
        if program.process is None:
            if time.monotonic() >= program.start_at:
                self._start(program)
        elif program.process.poll() is not None:
            self._bury(program)

    def _bury(self, program: Program) -> None:
        """Record that a program died and when to restart it. Raises KeepsDying if it died too often."""
        code = self._end(program)
        now = time.monotonic()
        program.died_at = [*(moment for moment in program.died_at if now - moment < CALM_SECONDS), now]
        if len(program.died_at) > RESTARTS:
            raise KeepsDying(
                "\n  ".join([f"{program.name} keeps stopping. Its last words:", *list(program.last_lines)[-12:]])
            )
        delay = self.first_delay * 2 ** (len(program.died_at) - 1)
        program.start_at = now + delay
        self._show(program, [f"stopped ({_reason(code)}); starting it again".encode()])

    def _end(self, program: Program) -> int:
        """Kill what is left of the program's process group and show its last lines; return its exit code."""
        process = program.process
        if process is None:
            return 0
        signal_group(process.pid, signal.SIGKILL)
        code = process.wait()
        self._watchdog.forget(process)
        if process.stdout is not None and not process.stdout.closed:
            self._read(program)
        if process.stdout is not None and not process.stdout.closed:
            self._selector.unregister(process.stdout)
            process.stdout.close()
        self._show(program, [program.unfinished])
        program.unfinished = b""
        program.process = None
        return code


def _reason(code: int) -> str:
    return f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def python(*words: str) -> list[str]:
    """Return a command line for the Python of this process."""
    return [sys.executable, *words]
