"""Child processes that never outlive their parent, however it ends. Used by the supervisor and the embedded servers.

Every child leads a process group of its own. On Linux the kernel sends it a signal when its parent dies. The watchdog,
a small second process that outlives the parent by seconds, ends whole groups, grandchildren included, when its pipe to
the parent closes.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 3.0
CODE_DIR = Path(__file__).resolve().parent.parent


def _load_libc() -> ctypes.CDLL | None:
    """Load libc on Linux; None elsewhere. Called once, before any fork: loading between fork and exec could block."""
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


LIBC = _load_libc()


def die_with_parent(stop_signal: int) -> None:
    """Ask the kernel to send this process `stop_signal` when its parent ends. Does nothing except on Linux."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, stop_signal, 0, 0, 0)


def start_bound(
    argv: Sequence[str], stop_signal: int = signal.SIGTERM, announce: Callable[[], object] | None = None, **options: Any
) -> subprocess.Popen[bytes]:
    """Start a child that leads its own process group and gets `stop_signal` when this process dies.

    `announce` is called in the child before the program starts. `options` are those of subprocess.Popen.
    """
    parent = os.getpid()

    def before_exec() -> None:
        die_with_parent(stop_signal)
        if announce is not None:
            announce()
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(argv, start_new_session=True, preexec_fn=before_exec, **options)  # noqa: S603 our programs


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a whole process group; return False if it has no process that can be signalled."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class Watchdog:
    """The parent's side: it starts the watchdog process and sends it, through a pipe, which process groups exist.

    Each child announces its own group before exec, so that there is no moment in which it is not guarded.
    """

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._start()

    def _start(self) -> None:
        argv = [sys.executable, "-S", "-E", str(Path(__file__).resolve()), str(os.getpid())]
        reading, self._writing = os.pipe()
        # The command line contains no input from outside, which S603 cannot know.
        self._process = subprocess.Popen(argv, stdin=reading, start_new_session=True)  # noqa: S603
        os.close(reading)
        for group in self._groups:
            self._send(f"+{group}")

    def _send(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._writing, line.encode() + b"\n")

    def start(
        self, argv: Sequence[str], env: Mapping[str, str], stdout: int | IO[bytes] = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start a guarded child with its output and errors in one stream."""
        process = start_bound(
            argv,
            announce=lambda: self._send(f"+{os.getpid()}"),
            env=dict(env),
            cwd=CODE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
        )
        self._groups.add(process.pid)
        return process

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        """Kill the processes that an ended child left running in its group, and stop guarding the group."""
        signal_group(process.pid, signal.SIGKILL)
        self._groups.discard(process.pid)
        self._send(f"-{process.pid}")

    def check(self) -> None:
        """Start the watchdog process again if it was killed."""
        if self._process.poll() is not None:
            os.close(self._writing)
            self._start()

    def close(self) -> None:
        """Let the watchdog process end; call this when all children have ended. Idempotent."""
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1
            self._process.wait(timeout=GRACE_SECONDS + 2)


def _end_groups(groups: set[int]) -> None:
    """Ask all groups to stop, wait up to GRACE_SECONDS, then kill them."""
    for group in groups:
        signal_group(group, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and any(signal_group(group, 0) for group in groups):
        time.sleep(0.05)
    for group in groups:
        signal_group(group, signal.SIGKILL)


def main() -> None:
    """Run the watchdog process: read which groups exist until the parent ends, then end them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    _end_groups(groups)


if __name__ == "__main__":
    main()
