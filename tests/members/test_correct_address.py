"""Correcting an address: it is recorded who did it, and another supporter's address is never taken over."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from members import people
from members.errors import AddressTaken
from members.models import Message, Supporter, TimelineEntry
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


def test_letters_that_wait_are_turned_and_due_and_no_others() -> None:
    who, other = factories.supporter(email="olnea@example.org"), factories.supporter(email="petro@example.org")
    later = timezone.now() + timedelta(hours=1)
    deferred = factories.message(who, state="pending", attempts=3, next_try_at=later)
    differently = factories.message(who, state="pending", to_email="Olnea@Example.org")
    left = [
        *(factories.message(who, state=state) for state in ("sent", "unknown", "failed", "canceled")),
        factories.message(who, state="pending", to_email="office@example.org"),
        factories.message(None, state="pending", to_email="olnea@example.org"),
        factories.message(other, state="pending"),
    ]
    before = [message.to_email for message in left]
    people.correct_address(who, "olena@example.org", factories.staff())
    turned = Message.objects.filter(to_email="olena@example.org")
    assert set(turned) == {deferred, differently}
    assert set(turned.due()) == {deferred, differently}
    assert [Message.objects.get(pk=message.pk).to_email for message in left] == before


def test_an_address_of_somebody_else_turns_no_letter() -> None:
    who = factories.supporter(email="a@example.org")
    factories.supporter(email="b@example.org")
    waiting = factories.message(who, state="pending")
    with pytest.raises(AddressTaken):
        people.correct_address(who, "b@example.org", factories.staff())
    waiting.refresh_from_db()
    assert waiting.to_email == "a@example.org"
