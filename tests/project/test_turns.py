"""With which tests each worker of a run begins."""

from __future__ import annotations

import pytest

from tests.turns import in_turn

QUICK = [f"tests/payments/test_{number}.py::test_it" for number in range(20)]
HOUSE = [f"tests/processes/test_{number}.py::test_it" for number in range(3)]
SEEN = [f"tests/browser/test_{number}.py::test_it" for number in range(2)]
MIXED = [*QUICK[:7], HOUSE[0], *QUICK[7:12], SEEN[0], *HOUSE[1:], *QUICK[12:], SEEN[1]]


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_every_test_has_one_turn(workers: int) -> None:
    assert sorted(in_turn(MIXED, workers)) == sorted(MIXED)


def test_what_shares_something_costly_begins_the_stretch_of_one_worker() -> None:
    first, second = in_turn(MIXED, 2)[:12], in_turn(MIXED, 2)[12:]
    assert first[:3] == HOUSE
    assert second[:2] == SEEN


def test_the_rest_stays_in_the_order_in_which_it_came() -> None:
    assert [address for address in in_turn(MIXED, 2) if address in QUICK] == QUICK


def test_more_of_one_kind_than_a_stretch_holds() -> None:
    assert in_turn([*HOUSE, *SEEN], 2) == [*HOUSE, *SEEN]
