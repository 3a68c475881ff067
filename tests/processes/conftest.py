"""One house of real processes for all tests of a session that want it; begun anew when a test leaves it in ruins."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from project import embedded
from tests.processes import new_mark
from tests.processes.theatre import Theatre

_open: list[Theatre] = []


def _begin() -> Theatre:
    one = Theatre(embedded.BASE_DIR / ".data" / "test" / new_mark())
    _open.append(one)
    one.open()
    return one


def _end() -> None:
    while _open:
        _open.pop().close()


@pytest.fixture(scope="session")
def _house() -> Iterator[Callable[[], Theatre]]:
    def current() -> Theatre:
        if _open:
            try:
                _open[0].set_again()
            except Exception:
                _end()
        return _open[0] if _open else _begin()

    yield current
    _end()


@pytest.fixture
def theatre(_house: Callable[[], Theatre]) -> Theatre:
    return _house()
