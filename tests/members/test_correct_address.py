"""Correcting an address: who did it is remembered, nobody takes over somebody else's."""

from __future__ import annotations

import logging

import pytest
from django.core.exceptions import ValidationError

from members import people
from members.errors import AddressTaken
from members.models import Supporter, TimelineEntry
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_new_address_is_written_and_remembered_without_being_repeated(caplog) -> None:
    who, marta = factories.supporter(email="olnea@example.org"), factories.staff()
    with caplog.at_level(logging.INFO):
        people.correct_address(who, "  olena@example.org ", marta)
    assert Supporter.objects.get().email == "olena@example.org"
    entry = TimelineEntry.objects.get()
    assert (entry.action, entry.actor, entry.supporter) == ("supporter.address_corrected", marta, who)
    assert entry.details == {"was": "o…@example.org", "is": "o…@example.org"}
    assert "olena" not in caplog.text
    assert "olnea" not in caplog.text


def test_an_address_of_somebody_else_is_refused_however_it_is_written() -> None:
    who = factories.supporter(email="a@example.org")
    factories.supporter(email="b@example.org")
    with pytest.raises(AddressTaken):
        people.correct_address(who, "B@Example.org", factories.staff())
    assert Supporter.objects.with_email("a@example.org").get() == who
    assert not TimelineEntry.objects.exists()


@pytest.mark.parametrize("nonsense", ["", "olena", "a@b", "a b@example.org", "a@example.org\nBcc: x@y.z", "\x00@a.bc"])
def test_what_is_no_address_is_refused(nonsense: str) -> None:
    who = factories.supporter(email="a@example.org")
    with pytest.raises(ValidationError):
        people.correct_address(who, nonsense, factories.staff())
    assert Supporter.objects.get().email == "a@example.org"


def test_only_the_capitals_of_ones_own_address_may_change_and_the_same_changes_nothing() -> None:
    who, marta = factories.supporter(email="a@example.org"), factories.staff()
    people.correct_address(who, "A@example.org", marta)
    people.correct_address(who, "A@example.org", marta)
    assert Supporter.objects.get().email == "A@example.org"
    assert TimelineEntry.objects.count() == 1
