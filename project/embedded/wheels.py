"""The programs inside the two wheels. The wheels' own Python code is never run."""

from __future__ import annotations

import importlib.util
from importlib import metadata
from pathlib import Path

from project.embedded.problems import CannotStart


def package_folder(package: str) -> Path | None:
    """Return the folder of an installed package without importing it; None if it is not installed."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def labelled(distribution: str) -> str:
    """Return a wheel's name and version: the folder name of copied programs, so that an update copies them again."""
    return f"{distribution}-{metadata.version(distribution)}"


def program(package: str, pattern: str, title: str, variable: str) -> Path:
    """Return a program inside a wheel. Raises CannotStart if the wheel is missing or for another kind of machine."""
    folder = package_folder(package)
    found = sorted(folder.glob(pattern)) if folder else []
    if not found:
        raise CannotStart(
            f"There is no {title} here: run `make run` to install what is missing (the package {package}), "
            f"or set {variable} to a {title} of yours."
        )
    return found[0]
