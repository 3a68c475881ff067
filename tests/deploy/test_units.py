"""The systemd units: systemd accepts them, they run what operations.md says, and the target starts them all."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from project import embedded

UNITS = embedded.BASE_DIR / "deploy" / "systemd"
PROCESSES = ("web", "drain", "worker", "bulk", "beat")


def lines_of(name: str) -> list[str]:
    return (UNITS / name).read_text().splitlines()


def test_the_target_starts_every_process() -> None:
    [wanted] = [line for line in lines_of("hromada.target") if line.startswith("Wants=")]
    assert wanted == "Wants=" + " ".join(f"hromada-{name}.service" for name in PROCESSES)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_service_runs_the_command_of_operations_and_leaves_no_process_behind(name: str) -> None:
    lines = lines_of(f"hromada-{name}.service")
    command = next(line for line in lines if line.startswith("ExecStart=")).rpartition("/venv/bin/")[2]
    operations = (embedded.BASE_DIR / "docs" / "operations.md").read_text()
    said = next(line for line in operations.splitlines() if line.startswith(f"| {name} |")).split("`")[1]
    program, *options = said.split()
    assert command.startswith(program)
    assert [option for option in options if option.replace("%h", "%%h") not in command] == []
    for line in ("KillMode=mixed", "User=hromada", "NoNewPrivileges=yes", "ProtectSystem=strict", "Restart=always"):
        assert line in lines
    assert "PartOf=hromada.target" in lines


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on the PATH")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in UNITS.iterdir():
        words = (
            unit.read_text()
            .replace("/srv/hromada/venv/bin/", "/bin/echo ")
            .replace("/srv/hromada/app/deploy/", "/bin/")
        )
        (tmp_path / unit.name).write_text(words.replace("/bin/backup", "/bin/echo"))
    names = sorted(str(each) for each in tmp_path.iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
