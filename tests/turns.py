"""With which tests each worker begins: the longest first, and together what shares something costly.

The house of processes and Chromium take long to begin, so one worker runs all tests that want it, and another the
others. xdist gives each worker a stretch of the list, all of one length, and lets who is done early steal from the end
of another's. What stands in no group stays in the order in which it came (pytest-randomly shuffles it).
"""

from __future__ import annotations

import os

import pytest

# A group is the beginning of an address. The first goes to the first worker, the second to the second, and so on.
GROUPS = (
    ("tests/processes/", "tests/project/test_run.py"),
    ("tests/browser/", "tests/machine/test_lives.py"),
    ("tests/journeys/test_any_order.py", "tests/journeys/test_three_years.py", "tests/project/test_embedded.py"),
)


def in_turn(addresses: list[str], workers: int) -> list[str]:
    """Return the addresses of tests in the order in which that many workers are to have them."""
    heads: list[list[str]] = [[] for _ in range(workers)]
    rest = list(addresses)
    for number, group in enumerate(GROUPS):
        mine = [address for address in addresses if address.startswith(group)]
        heads[number % workers] += mine
        rest = [address for address in rest if not address.startswith(group)]
    found: list[str] = []
    for number, head in enumerate(heads):
        length = (len(addresses) - len(found)) // (workers - number)
        share = max(length - len(head), 0)
        found += head + rest[:share]
        rest = rest[share:]
    return found + rest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After all others: what is not to run has been taken out, and the rest has been shuffled."""
    known = {item.nodeid: item for item in items}
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = [known[address] for address in in_turn(list(known), workers)]
