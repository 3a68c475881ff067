"""Where the two wheels keep their programs. The wheels' own Python code is never run."""

from __future__ import annotations

import importlib.util
from importlib import metadata
from pathlib import Path

from project.embedded.problems import CannotStart


def package_folder(package: str) -> Path | None:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def labelled(distribution: str) -> str:
    """Name and version of a wheel, for a copy of its programs that an update must not mistake for its own."""
    return f"{distribution}-{metadata.version(distribution)}"


def program(package: str, pattern: str, title: str, variable: str) -> Path:
    """A program inside a wheel. Raises CannotStart when the wheel is missing or made for another kind of machine."""
    folder = package_folder(package)
    found = sorted(folder.glob(pattern)) if folder else []
    if not found:
        raise CannotStart(
            f"There is no {title} here: run `make run` to install what is missing (the package {package}), "
            f"or set {variable} to a {title} of yours."
        )
    return found[0]
