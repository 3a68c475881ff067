"""In production the newsroom's postal address comes before the first email to a reader."""

from __future__ import annotations

from typing import Any

import pytest

from members.mail import permission, sending
from members.mail.kinds import Stream
from members.models import Message, Newsroom
from members.newsroom import versions
from project.doctor import installation
from project.doctor.finding import Level
from tests import factories

WAITS = permission.waits_for_address


@pytest.fixture(autouse=True)
def _production(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "waits_for_address", WAITS)
    settings.DEBUG, settings.LEGAL_ADDRESS = False, ""


def waiting(**values: Any) -> Message:
    return factories.message(**{"state": "pending", "sent_at": None, **values})


def test_without_an_address_readers_wait_and_staff_are_written_to() -> None:
    reader, staff = waiting(), waiting(stream=Stream.STAFF)
    assert sending.claim(reader.pk) is None
    assert sending.claim() == staff
    assert sending.claim() is None
    reader.refresh_from_db()
    assert (reader.state, reader.attempts) == ("pending", 0), "it waits, and loses no try"
    [found] = installation.newsroom_is_complete()
    assert found.level == Level.FAIL


def test_an_address_set_at_the_desk_lets_them_go() -> None:
    reader = waiting()
    versions.save(Newsroom(version=1, values={"LEGAL_ADDRESS": "Main Street 1"}))
    assert sending.claim() == reader


def test_who_has_written_before_goes_on() -> None:
    factories.message(state="sent")
    assert sending.claim(waiting().pk) is not None


def test_trying_out_needs_none(settings: Any) -> None:
    settings.DEBUG = True
    assert sending.claim(waiting().pk) is not None
