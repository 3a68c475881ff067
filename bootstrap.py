"""Creates `.venv` and installs the pinned requirements if something changed. The Makefile calls it.

`python3 bootstrap.py` installs what running needs, `python3 bootstrap.py --dev` what tests and checks need too. It uses
the standard library only and syntax that Python 3.6 can read, so that an old Python can explain what is missing.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Iterable  # noqa: UP035 collections.abc's takes no brackets before 3.9, and this is read by 3.6

OLDEST, NEWEST = (3, 11), (3, 13)
FILES = {"run": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}
SAY_EVERY_SECONDS = 4
# About half of all modules; hardly any of them is ever imported here, so that compiling them is not worth the time.
NEVER_RUN = r"/(pip|valkey|stripe/(params|events|v2)|stdnum/..|django/contrib/gis|sentry_sdk/integrations)/"
# Prints where Python keeps the pip that venv would install: in its own folder, or in one of the distribution.
FIND_PIP = """
import ensurepip, glob, os, sysconfig
folders = [sysconfig.get_config_var("WHEEL_PKG_DIR"), os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")]
found = [path for folder in folders if folder for path in glob.glob(os.path.join(folder, "pip-*.whl"))]
print(*found, sep="\\n")
"""


class CannotInstall(Exception):
    """The environment cannot be created. The message is for people: what is wrong and what to do."""


class Environment:
    """The virtual environment `.venv` of one checkout."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"

    def prepare(self, purpose: str) -> None:
        """Install what `purpose` ("run" or "dev") needs, if it is not installed yet. Raises CannotInstall.

        Idempotent; safe to call concurrently, because requirements.txt is locked while it runs.
        """
        with open(self.root / "requirements.txt") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._is_current(purpose) and not self._is_other_python():
                return
            interpreter = choose_python()
            if not self._is_usable(interpreter):
                self._create(interpreter)
            self._install(FILES[purpose][-1])
            for served in ("run", "dev") if purpose == "dev" else ("run",):
                self._stamp(served).write_text(self._wanted(served))

    def _stamp(self, purpose: str) -> Path:
        return self.folder / ("installed-for-" + purpose)

    def _wanted(self, purpose: str) -> str:
        """Return a hash that changes when a requirement, the Python or the folder of the checkout changes."""
        digest = hashlib.sha256(str(self.folder).encode())
        for name in FILES[purpose]:
            digest.update((self.root / name).read_bytes())
        digest.update(os.path.realpath(str(self.python)).encode())
        return digest.hexdigest()

    def _is_current(self, purpose: str) -> bool:
        stamp = self._stamp(purpose)
        return self.python.exists() and stamp.exists() and stamp.read_text() == self._wanted(purpose)

    def _is_other_python(self) -> bool:
        """Return whether this script runs under a supported Python of another version than `.venv`."""
        library = self.folder / "lib" / "python{}.{}".format(*sys.version_info[:2])
        return OLDEST <= sys.version_info[:2] <= NEWEST and not library.exists()

    def _is_usable(self, interpreter: str) -> bool:
        """Return whether `.venv` has the version of `interpreter` and can be installed into, with pip or uv."""
        if not self.python.exists():
            return False
        has_installer = shutil.which("uv") or works(str(self.python), "import pip")
        return bool(has_installer) and version_of(str(self.python)) == version_of(interpreter)

    def _create(self, interpreter: str) -> None:
        """Create `.venv` with the venv module; if that is missing, as on Debian, with uv. Raises CannotInstall."""
        say("Making .venv ...")
        if self._create_quickly(interpreter):
            return
        shutil.rmtree(str(self.folder), ignore_errors=True)
        result = run([interpreter, "-m", "venv", str(self.folder)], self.root)
        if result.returncode == 0:
            return
        shutil.rmtree(str(self.folder), ignore_errors=True)
        uv = shutil.which("uv")
        if uv and run([uv, "venv", "--python", interpreter, str(self.folder)], self.root).returncode == 0:
            return
        raise CannotInstall(
            "This Python cannot make virtual environments: install its venv module (Debian, Ubuntu: "
            "`sudo apt install python3-venv`) or uv, then try again."
        )

    def _create_quickly(self, interpreter: str) -> bool:
        """Make `.venv` and unpack Python's own pip into it, faster than venv itself; return whether that worked."""
        shutil.rmtree(str(self.folder), ignore_errors=True)
        found = run([interpreter, "-c", FIND_PIP], self.root).stdout.splitlines()
        if not (found and found[0].endswith(".whl")):
            return False
        if run([interpreter, "-m", "venv", "--without-pip", str(self.folder)], self.root).returncode:
            return False
        with zipfile.ZipFile(found[0]) as wheel:
            wheel.extractall(str(self._packages()))
        return works(str(self.python), "import pip")

    def _packages(self) -> Path:
        """Return the folder that packages are installed to."""
        return next((self.folder / "lib").glob("python*/site-packages"), self.folder)

    def _install(self, requirements: str) -> None:
        """Install with uv, or with pip if there is no uv or it fails; then compile. Raises CannotInstall."""
        say(f"Installing {requirements} (only when it changed) ...")
        total = count_pins(self.root, requirements)
        code, output = 1, ""
        for installer in self._installers():
            command = [*installer, "--only-binary=:all:", "-r", requirements]
            code, output = Installation(self._packages(), total).watch(command, self.root)
            if code == 0:
                break
        if code:
            raise CannotInstall(explain(output))
        command = [str(self.python), "-m", "compileall", "-q", "-j", "0", "-x", NEVER_RUN, str(self._packages())]
        compiling = Installation(self._packages(), total, is_compiling=True)
        say(compiling.how_far())
        compiling.watch(command, self.root)

    def _installers(self) -> list:
        """Return the commands that can install, without their requirements, the fastest first."""
        python, uv = str(self.python), shutil.which("uv")
        found = [[uv, "pip", "install", "--python", python]] if uv else []
        if works(python, "import pip"):
            words = ["install", "--disable-pip-version-check", "--no-input", "--no-compile"]
            found.append([python, "-m", "pip", *words])
        return found


class Installation:
    """A running installer and its progress: it fetches all packages, unpacks them, and then they are compiled."""

    def __init__(self, packages: Path, total: int, is_compiling: bool = False) -> None:
        self.packages = packages
        self.total = total
        self.is_compiling = is_compiling
        self.lines = []  # type: list

    def watch(self, command: list, folder: Path) -> tuple:
        """Run the installer and show its progress every few seconds; return its exit code and its output."""
        try:
            process = subprocess.Popen(  # noqa: S603 our own words only
                command,
                cwd=str(folder),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                universal_newlines=True,
            )
        except OSError as error:
            return 127, str(error)
        reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        reader.start()
        while True:
            reader.join(SAY_EVERY_SECONDS)
            if not reader.is_alive():
                return process.wait(), "".join(self.lines)
            say(self.how_far())

    def _read(self, output: Iterable) -> None:
        for line in output:
            self.lines.append(line)

    def how_far(self) -> str:
        """Return the progress in one line: how many packages are fetched, or how many are unpacked."""
        if self.is_compiling:
            return f"  {self.total} of {self.total} packages installed, compiling them"
        unpacked = len(list(self.packages.glob("*.dist-info")))
        if any(line.startswith("Installing collected") for line in self.lines) or unpacked > 1:
            return f"  {min(unpacked, self.total)} of {self.total} packages installed"
        fetched = sum(line.startswith(("Collecting ", "Processing ")) for line in self.lines)
        return f"  {min(fetched, self.total)} of {self.total} packages fetched"


def count_pins(root: Path, requirements: str) -> int:
    """Return how many packages a requirements file pins, including those of the files it refers to."""
    number = 0
    for line in (root / requirements).read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words[:1] == ["-r"]:
            number += count_pins(root, words[1])
        else:
            number += "==" in line
    return number


UNREACHABLE = r"NewConnectionError|ConnectTimeout|Temporary failure|SSLError|[Dd]ns error|error sending request"
NO_WHEEL = r"No matching distribution found for (\S+)|Because (\S+) has no (?:usable )?wheels"


def explain(output: str) -> str:
    """Return one sentence for people that explains the output of a failed pip or uv."""
    if "No space left on device" in output:
        return "The disk is full: free about 500 MB and try again."
    if re.search(UNREACHABLE, output):
        return "The packages could not be fetched: check the connection to the Python package index and try again."
    missing = re.search(NO_WHEEL, output)
    if missing:
        package = missing.group(1) or missing.group(2)
        machine = f"{os.uname().sysname} {os.uname().machine}, Python {sys.version.split()[0]}"
        return (
            f"There is no ready-made {package} for this machine ({machine}): use Linux or macOS on x86-64 or ARM with "
            "Python 3.11 to 3.13, or the Dockerfile."
        )
    last = [line for line in output.splitlines() if line.strip()][-1:] or ["no reason given"]
    return f"The packages could not be installed: {last[0]}"


def choose_python() -> str:
    """Return the Python this script runs under if it is supported, else another one on the PATH.

    Raises CannotInstall if there is none.
    """
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return getattr(sys, "_base_executable", sys.executable)
    for minor in (13, 12, 11):
        other = shutil.which(f"python3.{minor}")
        if other and version_of(other) == (3, minor):
            return other
    major, minor = sys.version_info[:2]
    raise CannotInstall(
        f"This is Python {major}.{minor}, and Hromada needs 3.11, 3.12 or 3.13: install one of them, then "
        "`make run PYTHON=/path/to/python3.12`."
    )


def version_of(interpreter: str) -> tuple:
    """Return an interpreter's major and minor version; an empty tuple if it does not start."""
    result = run([interpreter, "-c", "import sys; print(*sys.version_info[:2])"], Path("/"))
    return tuple(int(number) for number in result.stdout.split()) if result.returncode == 0 else ()


def works(interpreter: str, statement: str) -> bool:
    return run([interpreter, "-c", statement], Path("/")).returncode == 0


def run(command: list, folder: Path) -> subprocess.CompletedProcess:
    """Run a command to its end; return its exit code and output, errors included. A missing program is code 127."""
    try:
        return subprocess.run(  # noqa: S603 no input from outside
            command,
            cwd=str(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,  # noqa: UP021 `text` exists since Python 3.7
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, str(error))


def say(words: str) -> None:
    sys.stderr.write(words + "\n")
    sys.stderr.flush()


def main() -> int:
    purpose = "dev" if "--dev" in sys.argv[1:] else "run"
    try:
        Environment(Path(__file__).resolve().parent).prepare(purpose)
    except CannotInstall as problem:
        say(str(problem))
        return 1
    except PermissionError as error:
        say(f"Cannot write to {error.filename}: make this folder yours and try again.")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
