"""Pages that are the same for every reader, with the newsroom's own words where it has some."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["give-safely", "questions", "privacy", "terms", "contact"])
def test_pages_that_say_the_same_to_everybody(page: str, settings) -> None:
    settings.CONTACT_EMAIL, settings.STATEMENT_NAME = "people@example.org", "COURIER DNIPRO"
    body = Client().get(f"/support/{page}/").content.decode()
    assert "<h1>" in body
    assert "people@example.org" in body
    if page in ("give-safely", "questions"):
        assert "COURIER DNIPRO" in body


@pytest.mark.django_db
def test_a_newsroom_says_it_in_its_own_words(settings, tmp_path: Path) -> None:
    (tmp_path / "give").mkdir()
    (tmp_path / "give" / "why.html").write_text("<h1>Our own words</h1>")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path), *settings.TEMPLATES[0]["DIRS"]]}]
    assert "Our own words" in Client().get("/support/").content.decode()
