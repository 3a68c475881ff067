"""Stopping servers that were left running when an earlier keeper was killed.

They are recognised by name and working folder: a process id alone may belong to another program after a restart.
"""

from __future__ import annotations

import signal
from pathlib import Path

import psutil  # type: ignore[import-untyped]


def stop_leftover(pid: int | None, name: str, folder: Path, stop_signal: int = signal.SIGTERM) -> bool:
    """Stop process `pid` if it is a program called `name` with the working folder `folder`; return whether it was."""
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
