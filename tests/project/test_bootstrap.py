"""bootstrap.py installs once, and explains in one sentence if it cannot."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bootstrap

ROOT = Path(bootstrap.__file__).parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with empty requirements, so that nothing is downloaded."""
    shutil.copy(ROOT / "bootstrap.py", tmp_path)
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\n")
    return tmp_path


def call(checkout: Path, *words: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    python = getattr(sys, "_base_executable", sys.executable)
    return subprocess.run(
        [python, "bootstrap.py", *words], cwd=checkout, env={"PATH": path}, capture_output=True, text=True
    )


def break_venv(checkout: Path) -> None:
    """Imitate Debian without python3-venv: `python3 -m venv` finds this module first, which fails in the same way."""
    (checkout / "venv.py").write_text("raise SystemExit('ensurepip is not available')\n")


@pytest.fixture
def with_uv(checkout: Path) -> str:
    """Return a PATH with a fake uv, which creates a minimal environment and records its arguments."""
    break_venv(checkout)
    tools = checkout / "tools"
    tools.mkdir()
    real = getattr(sys, "_base_executable", sys.executable)
    scripts = {
        "python": f"""[ "$2" = "import pip" ] && exit 1\nexec {real} "$@"\n""",
        "uv": f"""echo "$@" >> {checkout}/asked
[ "$1" = venv ] || exit 0
mkdir -p .venv/bin .venv/lib/python{sys.version_info.major}.{sys.version_info.minor}
cp {tools}/python .venv/bin/python
""",
    }
    for name, script in scripts.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}")
        (tools / name).chmod(0o755)
    return f"{tools}:/usr/bin:/bin"


def test_it_installs_once_and_again_when_a_requirement_changes(checkout: Path, with_uv: str) -> None:
    first = call(checkout, path=with_uv)
    assert first.returncode == 0, first.stderr
    assert "Installing requirements.txt" in first.stderr
    assert (checkout / "asked").read_text().startswith("venv --python ")

    began = time.monotonic()
    assert call(checkout, path=with_uv).stderr == ""
    assert time.monotonic() - began < 1

    assert "Installing requirements-dev.txt" in call(checkout, "--dev", path=with_uv).stderr
    (checkout / "requirements-dev.txt").write_text("-r requirements.txt\n# changed\n")
    assert call(checkout, path=with_uv).stderr == ""
    assert "Installing requirements-dev.txt" in call(checkout, "--dev", path=with_uv).stderr
    assert (checkout / "asked").read_text().count("venv --python") == 1


@pytest.mark.skipif(importlib.util.find_spec("ensurepip") is None, reason="this Python comes without pip")
def test_where_uv_fails_the_pip_that_comes_with_python_installs(checkout: Path) -> None:
    """It is unpacked: venv itself would take seconds to install it."""
    tools = checkout / "tools"
    tools.mkdir()
    (tools / "uv").write_text(f"#!/bin/sh\necho $@ >> {checkout}/asked\nexit 2\n")
    (tools / "uv").chmod(0o755)
    result = call(checkout, path=f"{tools}:/usr/bin:/bin")
    assert result.returncode == 0, result.stderr
    assert (checkout / "asked").read_text().startswith("pip install --python ")
    python = checkout / ".venv" / "bin" / "python"
    listed = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True)
    assert [line.split()[0] for line in listed.stdout.splitlines()[2:]] == ["pip"]
    assert call(checkout, path="/nowhere").stderr == ""


def test_without_venv_and_without_uv_it_says_what_to_install(checkout: Path) -> None:
    break_venv(checkout)
    result = call(checkout, path="/nowhere")
    assert result.returncode == 1
    assert "sudo apt install python3-venv" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_told_which_one_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(bootstrap.CannotInstall, match=r"This is Python 3.9, and Hromada needs 3.11, 3.12 or 3.13"):
        bootstrap.choose_python()


def test_an_old_python_takes_a_newer_one_from_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    newer = tmp_path / "python{}.{}".format(*sys.version_info[:2])
    newer.symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    assert bootstrap.choose_python() == str(newer)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("ERROR: No matching distribution found for granian==2.8.7", "There is no ready-made granian==2.8.7 for this"),
        (
            "Retrying after connection broken by 'NewConnectionError'\nERROR: No matching distribution found for x",
            "could not be fetched",
        ),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("something\nERROR: quite another thing\n", "could not be installed: ERROR: quite another thing"),
    ],
)
def test_what_the_installer_said_becomes_one_sentence(output: str, sentence: str) -> None:
    explained = bootstrap.explain(output)
    assert sentence in explained
    assert "\n" not in explained


def test_how_far_an_installation_is(checkout: Path) -> None:
    (checkout / "requirements.txt").write_text("# two\none==1\n\ntwo==2\n")
    (checkout / "requirements-dev.txt").write_text("-r requirements.txt\nthree==3\n")
    total = bootstrap.count_pins(checkout, "requirements-dev.txt")
    assert (total, bootstrap.count_pins(checkout, "requirements.txt")) == (3, 2)

    packages = checkout / "packages"
    packages.mkdir()
    installation = bootstrap.Installation(packages, total)
    installation.lines += ["Collecting one==1\n", "  Using cached one.whl\n", "Processing ./two.whl\n"]
    assert installation.how_far() == "  2 of 3 packages fetched"
    installation.lines += ["Installing collected packages: one, two, three\n"]
    (packages / "one-1.dist-info").mkdir()
    assert installation.how_far() == "  1 of 3 packages installed"


def test_an_installation_is_not_silent_for_long(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "SAY_EVERY_SECONDS", 0.1)
    slow = "import time; print('Collecting one', flush=True); time.sleep(0.5); raise SystemExit(3)"
    code, output = bootstrap.Installation(checkout, 9).watch([sys.executable, "-c", slow], checkout)
    assert (code, output) == (3, "Collecting one\n")
    assert "  1 of 9 packages fetched\n" in capsys.readouterr().err
