"""Files that embedded servers share between processes: private JSON and locks; and free ports."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

from project.embedded.problems import CannotStart


def make_private(folder: Path, mode: int = 0o700) -> Path:
    """Create a folder with these permissions if it is missing; return it. Raises CannotStart if it is not writable."""
    try:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)  # mkdir's mode depends on the umask
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError
    except (PermissionError, FileExistsError, NotADirectoryError):
        raise CannotStart(f"Cannot write to {folder}: make it yours, or set DATA_DIR to another folder.") from None
    except OSError as error:
        raise CannotStart(f"Cannot create {folder} ({error.strerror}): free some space, or set DATA_DIR.") from None
    return folder


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replace a JSON file atomically, readable by its owner only, because it may contain passwords."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        json.dump(value, file, indent=1)
    os.replace(name, path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; an empty one if the file is missing or damaged."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


class FileLock:
    """A shared or exclusive lock on a file, kept until it is released or this process ends in any way.

    Creating it raises CannotStart if the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CannotStart(f"Cannot open {path} ({error.strerror}): make DATA_DIR yours.") from None

    def take(self, shared: bool = False, wait: bool = True) -> bool:
        """Take the lock; return True. Without `wait`, return False if another process has it."""
        kind = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        try:
            fcntl.flock(self._handle, kind)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_UN)

    def is_held_elsewhere(self) -> bool:
        """Return whether another process has the lock exclusively. Only for locks that this process does not have."""
        if not self.take(shared=True, wait=False):
            return True
        self.release()
        return False


def free_port(wanted: int | None = None) -> int:
    """Return `wanted` if it is free on the loopback address, else any free port. Raises CannotStart if none is."""
    for port in (wanted, 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CannotStart("No free port on 127.0.0.1: close some programs and try again.")


def last_words(log: Path) -> str:
    """Return the last error in a log, else its last line, for a message to people; empty if there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-40:]
    except OSError:
        return ""
    telling = [line for line in lines if "FATAL" in line or "error" in line.lower() or "ERROR" in line]
    return (telling or [line for line in lines if line.strip()] or [""])[-1].strip()
