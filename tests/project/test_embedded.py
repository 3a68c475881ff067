"""Embedded PostgreSQL and Valkey: shared, restarted, stopped with their last user, with clear errors."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from project import embedded
from project.embedded import CannotStart, privileges, wheels
from project.embedded.files import write_json
from tests.processes import at_work_in, eventually

pytestmark = pytest.mark.processes
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")

HOLD = """
import sys, time
from pathlib import Path
from project import embedded
with embedded.running(Path(sys.argv[1]), fast=True) as addresses:
    print(addresses.database_url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _no_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("REDIS_URL")


def _place(name: str) -> Path:
    """Return a folder in the checkout: as root, servers run as `nobody`, who cannot reach pytest's folders."""
    return embedded.BASE_DIR / ".data" / "test" / f"{name}-{os.getpid()}-{secrets.token_hex(3)}"


@pytest.fixture
def folder() -> Iterator[Path]:
    place = _place("embedded")
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def made_folder() -> Iterator[Path]:
    """Return a data folder whose cluster was created once; tests that break something use a copy of it."""
    place = _place("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("REDIS_URL", raising=False)
        with embedded.running(place, fast=True):
            pass
    yield place
    shutil.rmtree(place)


@pytest.fixture
def copy(made_folder: Path, folder: Path) -> Path:
    subprocess.run(["cp", "-a", made_folder, folder], check=True)
    return folder


def ask(url: str, statement: str) -> object:
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(statement).fetchone()
        return row[0] if row else None


def state(folder: Path, name: str) -> dict:
    return json.loads((folder / "servers" / f"{name}.json").read_text())


def hold(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=embedded.BASE_DIR,
    )


def manage(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=embedded.BASE_DIR,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_new_cluster_folds_cyrillic_asks_for_a_password_and_is_found_again(folder: Path) -> None:
    with embedded.running(folder, fast=True) as first:
        assert ask(first.database_url, "SELECT upper('олена')") == "ОЛЕНА"
        assert ask(first.database_url, "SELECT 'ОЛЕНА' ILIKE 'олена'") is True
        with psycopg.connect(first.database_url) as connection:
            connection.execute("CREATE EXTENSION pg_trgm")
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        assert ask(first.database_url, "SELECT similarity('олена', 'олеся') > 0.2") is True
        with pytest.raises(psycopg.OperationalError):
            ask(first.database_url.replace(":", ":x", 2).replace(":x//", "://"), "SELECT 1")
        assert redis.from_url(first.redis_url).ping()
        with pytest.raises(redis.AuthenticationError):
            redis.from_url(first.redis_url.replace(state(folder, "valkey")["password"], "x")).ping()
    assert at_work_in(folder) == []
    with embedded.running(folder, fast=True) as second:
        assert second == first
        assert ask(second.database_url, "SELECT number FROM kept") == 7


def test_what_holds_a_password_is_for_the_owner_only(made_folder: Path) -> None:
    for path in (made_folder / "servers").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert stat.S_IMODE((made_folder / "servers").stat().st_mode) == 0o700
    assert stat.S_IMODE((made_folder / "postgres").stat().st_mode) == 0o700


def test_two_commands_at_once_share_the_servers_which_stop_with_the_last(copy: Path) -> None:
    users = [hold(copy), hold(copy)]
    urls = {user.stdout.readline() for user in users if user.stdout}
    assert len(urls) == 1
    assert len([found for found in at_work_in(copy) if "project.embedded.keeper" in found.cmdline()]) == 2
    users[0].communicate("")
    assert ask(urls.pop().strip(), "SELECT 1") == 1
    users[1].communicate("")
    assert at_work_in(copy) == []


def test_killing_the_last_user_leaves_no_server_behind(copy: Path) -> None:
    user = hold(copy)
    assert user.stdout is not None
    user.stdout.readline()
    assert len(at_work_in(copy)) >= 4
    user.kill()
    user.communicate()
    eventually(lambda: at_work_in(copy) == [])


def test_a_killed_server_comes_back_at_the_same_address(copy: Path) -> None:
    with embedded.running(copy, fast=True) as addresses:
        for name in ("postgres", "valkey"):
            before = state(copy, name)["pid"]
            os.kill(before, signal.SIGKILL)
            eventually(lambda name=name, before=before: state(copy, name)["pid"] != before)
        assert ask(addresses.database_url, "SELECT 1") == 1
        assert redis.from_url(addresses.redis_url).ping()


def test_a_killed_keeper_leaves_nothing_and_is_replaced(copy: Path) -> None:
    servers = embedded.Servers(copy, fast=True)
    addresses = servers.ensure()
    old = state(copy, "postgres")
    os.kill(old["keeper"], signal.SIGKILL)
    eventually(lambda: not servers.are_alive())
    if sys.platform == "linux":
        eventually(lambda: not psutil.pid_exists(old["pid"]))
    assert servers.ensure() == addresses
    assert ask(addresses.database_url, "SELECT 1") == 1
    servers.release()
    assert at_work_in(copy) == []


def test_notes_that_name_a_process_of_somebody_else_harm_nobody(copy: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    for name in ("postgres", "valkey"):
        path = copy / "servers" / f"{name}.json"
        path.write_text(json.dumps(state(copy, name) | {"pid": stranger.pid, "keeper": stranger.pid}))
    (copy / "postgres" / "postmaster.pid").write_text(
        f"{stranger.pid}\n{copy}/postgres\n1\n5432\n\n127.0.0.1\n0 0\nready\n"
    )
    with embedded.running(copy, fast=True) as addresses:
        assert ask(addresses.database_url, "SELECT 1") == 1
    assert stranger.poll() is None
    stranger.communicate(b"\n")


def test_a_port_taken_meanwhile_is_replaced(copy: Path) -> None:
    with ExitStack() as strangers:
        taken = {}
        for name in ("postgres", "valkey"):
            stranger = strangers.enter_context(socket.create_server(("127.0.0.1", 0)))
            taken[name] = stranger.getsockname()[1]
            write_json(copy / "servers" / f"{name}.json", state(copy, name) | {"port": taken[name]})
        addresses = strangers.enter_context(embedded.running(copy, fast=True))
        assert ask(addresses.database_url, "SELECT 1") == 1
        assert all(state(copy, name)["port"] != port for name, port in taken.items())


def test_a_first_start_killed_half_way_does_not_matter(folder: Path) -> None:
    half = folder / "postgres.unfinished"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with embedded.running(folder, fast=True) as addresses:
        assert ask(addresses.database_url, "SELECT 1") == 1
    assert not half.exists()


def test_a_lost_password_is_replaced(copy: Path) -> None:
    (copy / "servers" / "postgres.password").unlink()
    with embedded.running(copy, fast=True) as addresses:
        assert ask(addresses.database_url, "SELECT 1") == 1


@pytest.mark.parametrize(
    ("version", "words"), [("17\n", "written by PostgreSQL 17"), (None, "not a complete PostgreSQL data folder")]
)
def test_a_foreign_data_folder_is_refused_in_one_sentence(folder: Path, version: str | None, words: str) -> None:
    (folder / "postgres").mkdir(parents=True)
    if version:
        (folder / "postgres" / "PG_VERSION").write_text(version)
    result = manage("migrate", DATA_DIR=str(folder))
    assert result.returncode == 1
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert at_work_in(folder) == []


def test_a_damaged_cluster_is_refused_in_one_sentence(copy: Path) -> None:
    shutil.rmtree(copy / "postgres" / "global")
    with pytest.raises(CannotStart, match=r"PostgreSQL does not start: .*global.* The whole story is in"):
        embedded.Servers(copy, fast=True).ensure()


def test_a_data_folder_that_cannot_be_written_is_refused_in_one_sentence(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file is in the way")
    try:
        with pytest.raises(CannotStart, match="set DATA_DIR to another folder"):
            embedded.Servers(folder, fast=True)
    finally:
        folder.unlink()


def test_a_missing_wheel_is_said_with_the_way_out() -> None:
    with pytest.raises(CannotStart, match=r"There is no Valkey here: .* set REDIS_URL to a Valkey of yours"):
        wheels.program("no_such_wheel", "bin/*", "Valkey", "REDIS_URL")


def test_nothing_of_ours_starts_where_addresses_are_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://db.example.org/hromada")
    monkeypatch.setenv("REDIS_URL", "redis://redis.example.org/0")
    with embedded.running(folder) as addresses:
        assert addresses.database_url == "postgres://db.example.org/hromada"
        assert addresses.redis_url == "redis://redis.example.org/0"
    assert not folder.exists()


@as_root
def test_root_keeps_data_elsewhere_when_the_data_folder_cannot_be_reached(tmp_path: Path) -> None:
    closed = tmp_path / "closed" / "data"
    closed.mkdir(parents=True)
    closed.parent.chmod(0o700)
    fallback = _place("fallback")
    account = privileges.account()
    try:
        place = privileges.folder_for(account, closed, "postgres", fallback)
        assert place.is_relative_to(fallback)
        assert (closed / "postgres").is_symlink()
        assert privileges.folder_for(account, closed, "postgres", fallback) == place
        assert stat.S_IMODE(closed.parent.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(fallback)


@as_root
def test_root_copies_programs_the_other_account_cannot_reach(tmp_path: Path) -> None:
    program = tmp_path / "wheel" / "bin" / "server"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    fallback = _place("programs")
    account = privileges.account()
    try:
        usable = privileges.reachable(account, program, program.parent, [], "x", fallback)
        assert usable != program
        assert account.can(usable, os.X_OK)
        assert not account.can(program, os.X_OK)
    finally:
        shutil.rmtree(fallback)
