"""The account that servers run as: the current user; for root, which PostgreSQL refuses, `nobody`.

As root, we change the owner of a server's data folder, and let others pass through (not list) DATA_DIR. No other
folder's permissions change. If `nobody` still cannot reach DATA_DIR, the data is stored under /var/lib/hromada and
DATA_DIR gets a link to it; programs that `nobody` cannot reach are copied there too.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from project.embedded.files import make_private
from project.embedded.problems import CannotStart

FALLBACK = Path("/var/lib/hromada")


@dataclass(frozen=True)
class Account:
    """The system account that servers run as; uid None is the current user."""

    uid: int | None
    gid: int | None

    def popen_options(self) -> dict[str, Any]:
        """Return the arguments with which subprocess starts a program as this account."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can(self, path: Path, mode: int) -> bool:
        """Return whether this account may access the path; `mode` is as for os.access.

        For another account this is tried in a child process, because only the kernel knows all rules.
        """
        if self.uid is None:
            return os.access(path, mode)
        pid = os.fork()
        if pid == 0:
            try:
                os.setgroups([])
                os.setgid(self.gid or 0)
                os.setuid(self.uid)
                os._exit(0 if os.access(path, mode) else 1)
            finally:
                os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    def own(self, folder: Path) -> None:
        if self.uid is not None:
            os.chown(folder, self.uid, self.gid if self.gid is not None else -1)


def account() -> Account:
    """Return the current user's account, or `nobody` for root. Raises CannotStart if root finds no such account."""
    if os.geteuid() != 0:
        return Account(None, None)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise CannotStart(
            "PostgreSQL does not run as root and there is no account called nobody: run this as a normal user, "
            "or set DATABASE_URL and REDIS_URL."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def folder_for(account: Account, data_dir: Path, name: str, fallback: Path = FALLBACK) -> Path:
    """Return the folder for a server's data, links resolved: in `data_dir` if the account can reach it, else elsewhere.

    Elsewhere means a new folder in `fallback`, with a link to it in `data_dir`. The folder itself may not exist yet,
    but its parent does. Raises CannotStart if that is not writable.
    """
    wanted = data_dir / name
    if wanted.is_symlink():
        return make_private(wanted.resolve().parent, 0o711) / wanted.resolve().name
    if account.uid is None or (wanted.is_dir() and account.can(wanted, os.X_OK)):
        return wanted
    _let_pass(data_dir)
    if account.can(data_dir, os.X_OK):
        return wanted
    make_private(fallback, 0o711)
    target = make_private(fallback / secrets.token_hex(6), 0o711) / name
    wanted.symlink_to(target)
    return target


def _let_pass(folder: Path) -> None:
    """Let other users access files in a folder whose names they know, but not list it. Only if we own it."""
    mode = folder.stat().st_mode
    if folder.stat().st_uid == os.geteuid() and not mode & 0o001:
        folder.chmod(mode | 0o011)


def reachable(
    account: Account, program: Path, tree: Path, companions: list[Path], label: str, fallback: Path = FALLBACK
) -> Path:
    """Return `program` if the account may run it, else the path of a copy in `fallback`.

    `tree` is the folder that is copied whole; `companions` (shared libraries) are copied next to it.
    """
    if account.can(program, os.X_OK) and account.can(tree, os.R_OK | os.X_OK):
        return program
    make_private(fallback, 0o711)
    place = make_private(fallback / label, 0o755)
    for source in [tree, *companions]:
        if not (place / source.name).exists():
            _copy_open(source, place / source.name)
    return place / tree.name / program.relative_to(tree)


def _copy_open(source: Path, target: Path) -> None:
    """Copy a folder atomically and let all users read it."""
    half = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copytree(source, half)
    for path in [half, *half.rglob("*")]:
        is_program = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if is_program else 0o644)
    os.replace(half, target)
