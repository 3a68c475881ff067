"""Rendered emails: no header injection, one Message-ID per key, inlined styles, texts in the reader's language."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as checked
from hypothesis import strategies as st

from members.mail.headers import message_id
from members.mail.rendering import as_email, render
from members.models import Message
from tests.members.mail.test_sending import FACTS

KIND = "thanks_first_recurring"


def letter(kind: str = KIND, language: str = "en", **facts: Any) -> Message:
    context = {**FACTS, **facts}
    return Message(kind=kind, key=f"{kind}:1", to_email="olena@example.org", language=language, context=context)


def test_the_same_key_has_the_same_id() -> None:
    assert message_id("a:1") == message_id("a:1") != message_id("a:2")
    assert re.fullmatch(r"<[0-9a-f]{32}@127\.0\.0\.1>", message_id("a:1"))


def test_the_id_names_the_site_and_nobody(settings: Any) -> None:
    settings.SITE_URL = "https://courier.example:8443"
    message = letter()
    email = as_email(message, render(message)).message()
    assert email["Message-ID"] == message_id(message.key)
    assert email["Message-ID"].endswith("@courier.example>")


@checked(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(name=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_name_can_add_a_header_or_markup(name: str) -> None:
    message = letter(first_name=name + "\r\nBcc: all@example.org\r\n\r\n<script>")
    drawn = render(message)
    email = as_email(message, drawn).message()
    assert "\n" not in drawn.subject
    assert email["Bcc"] is None
    assert email.get_all("To") == ["olena@example.org"]
    assert "<script" not in drawn.html


def test_a_subject_made_of_facts_stays_one_line(settings: Any, tmp_path: Any) -> None:
    folder = tmp_path / "emails" / "shout"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("{{ first_name }} & co")
    (folder / "body.txt").write_text("{{ first_name }}")
    (folder / "body.html").write_text("<html><body>{{ first_name }}</body></html>")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    drawn = render(letter("shout", first_name="O'Neil\r\nBcc: x@example.org\x00" + "y" * 300))
    assert drawn.subject.startswith("O'Neil Bcc: x@example.org")
    assert len(drawn.subject) == 200
    assert drawn.text.startswith("O'Neil")  # plain text escapes nothing
    assert "O&#x27;Neil" in drawn.html or "O'Neil" in drawn.html


def test_html_carries_its_styles_and_nothing_from_elsewhere() -> None:
    html = render(letter()).html
    assert 'style="' in html
    assert "prefers-color-scheme: dark" in html
    assert not re.search(r"<(img|script|link|iframe)\b|@import|url\(", html)
    assert all(src.startswith("https://courier.example/") for src in re.findall(r'href="([^"]+)"', html))


def test_a_cell_with_ink_has_a_ground() -> None:
    """Check that each cell has a background: some mail programs drop an outer one and would show light on light."""
    html = render(letter()).html
    for cell in re.findall(r'<td class="sheet[^"]*" style="([^"]*)"', html):
        assert "background-color" in cell


def test_dates_and_sums_follow_the_language() -> None:
    assert "22 December 2026" in render(letter()).text
    ukrainian = render(letter(language="uk"))
    assert "22 грудня 2026" in ukrainian.text
    assert "10,00\xa0€" in ukrainian.text
    assert '<html lang="uk" dir="ltr"' in ukrainian.html


def test_answers_reach_people(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Courier <letters@bounce.example>"
    settings.CONTACT_EMAIL = "hello@courier.example"
    message = letter()
    assert as_email(message, render(message)).reply_to == ["hello@courier.example"]
    settings.DEFAULT_FROM_EMAIL = "Courier <hello@courier.example>"
    assert as_email(message, render(message)).reply_to == []


@pytest.mark.parametrize(
    ("name", "role", "signed"), [("Daria", "editor", "Daria\neditor, The Courier"), ("", "", "The Courier")]
)
def test_signed_by_a_person_where_there_is_one(settings: Any, name: str, role: str, signed: str) -> None:
    settings.SITE_NAME, settings.EDITOR_NAME, settings.EDITOR_ROLE = "The Courier", name, role
    drawn = render(letter())
    assert f"\n{signed}\n" in drawn.text
    assert all(line in drawn.html for line in signed.splitlines())


def test_each_language_writes_the_editor_its_way(settings: Any) -> None:
    settings.SITE_NAME, settings.EDITOR_NAME, settings.EDITOR_ROLE = "The Courier", "Daria", "editor"
    settings.EDITOR_NAMES, settings.EDITOR_ROLES = {"uk": "Дарія"}, {"uk": "редакторка"}
    signed = {language: render(letter(language=language)).text for language in ("en", "uk")}
    assert "\nDaria\neditor, The Courier\n" in signed["en"]
    assert "\nДарія\nредакторка, The Courier\n" in signed["uk"]


def test_a_newsroom_can_say_it_in_its_own_words(settings: Any, tmp_path: Any) -> None:
    folder = tmp_path / "emails" / KIND
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("Our own words")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    drawn = render(letter())
    assert drawn.subject == "Our own words"
    assert "You are a patron now." in drawn.text
