"""The doctor names what readers and the law expect of a newsroom and nobody has set."""

from __future__ import annotations

from typing import Any

from members.models import Newsroom
from members.newsroom import versions
from project.doctor import installation
from project.doctor.finding import Level
from tests import factories


def test_what_nobody_has_set_is_named_until_it_is_set_at_the_desk(db: None, settings: Any) -> None:
    settings.LEGAL_REGISTRATION, settings.EDITOR_NAME, settings.STAFF_ALERT_EMAILS = "VR 1", "Olena", ["a@b.example"]
    settings.LEGAL_ADDRESS, settings.CONTACT_EMAIL = "", "support@newsroom.invalid"
    factories.message()  # an installation that has written to readers before
    [found] = installation.newsroom_is_complete()
    assert found.level == Level.WARN
    assert "LEGAL_ADDRESS" in found.words
    assert "CONTACT_EMAIL" in found.words
    assert "EDITOR_NAME" not in found.words
    versions.save(Newsroom(version=1, values={"LEGAL_ADDRESS": "Main Street 1", "CONTACT_EMAIL": "a@b.example"}))
    assert [found.level for found in installation.newsroom_is_complete()] == [Level.OK]
