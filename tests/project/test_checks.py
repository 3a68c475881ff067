"""What refuses to start in production."""

from __future__ import annotations

from typing import Any

import pytest

from project.checks import production_is_closed, staff_have_two_factors

GOOD = "k3J9-tests-only-0123456789-abcdefghij"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, []),
        ({"SECRET_KEY": "a"}, ["hromada.E020"]),
        ({"SECRET_KEY": "a" * 60}, ["hromada.E020"]),
        ({"SECRET_KEY_FALLBACKS": ["short"]}, ["hromada.E020"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["hromada.E021"]),
        ({"ALLOWED_HOSTS": [".example.org", "*.example.org"]}, ["hromada.E021"]),
        ({"SECRET_KEY": "a", "ALLOWED_HOSTS": ["*"]}, ["hromada.E020", "hromada.E021"]),
        ({"SECRET_KEY": "a", "ALLOWED_HOSTS": ["*"], "DEBUG": True}, []),
    ],
)
def test_a_key_that_can_be_guessed_and_any_host(settings: Any, given: dict[str, Any], found: list[str]) -> None:
    good = {"DEBUG": False, "SECRET_KEY": GOOD, "SECRET_KEY_FALLBACKS": [], "ALLOWED_HOSTS": [".example.org"]}
    for name, value in (good | given).items():
        setattr(settings, name, value)
    assert [problem.id for problem in production_is_closed(None)] == found


def test_a_desk_without_a_second_factor_is_warned_of(settings: Any) -> None:
    for debug, required, count in ((False, False, 1), (False, True, 0), (True, False, 0)):
        settings.DEBUG, settings.STAFF_SECOND_FACTOR = debug, required
        assert len(staff_have_two_factors(None)) == count
