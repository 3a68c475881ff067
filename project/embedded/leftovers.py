"""Servers that an earlier keeper left behind when it was killed: recognised by name and working folder, then stopped.

A process id alone proves nothing: after a restart of the machine it may belong to anybody.
"""

from __future__ import annotations

import signal
from pathlib import Path

import psutil  # type: ignore[import-untyped]


def stop_leftover(pid: int | None, name: str, folder: Path, stop_signal: int = signal.SIGTERM) -> bool:
    """Stop process `pid` if it is a program called `name` at work in `folder`. True when there was one."""
    if not pid:
        return False
    try:
        process = psutil.Process(pid)
        if not process.name().startswith(name) or Path(process.cwd()).resolve() != folder.resolve():
            return False
        process.send_signal(stop_signal)
        try:
            process.wait(timeout=10)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(timeout=5)
    except psutil.Error:
        return False
    return True
