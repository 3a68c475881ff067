"""The layout of all emails: the footer by kind, the button, the preview in an inbox, and the signature."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from members.mail.rendering import Letter, render
from members.models import Message, Supporter

FACTS = {
    "first_name": "Olena",
    "amount": 1000,
    "currency": "EUR",
    "frequency": "once",
    "paid_on": "2026-11-22",
    "reference": "HR-7K4M-2Q",
    "return_url": "https://courier.example/support/return/x/?lang=en",
    "privacy_url": "https://courier.example/support/privacy/?lang=en",
}
CHOICES, WAY_OFF = "https://courier.example/preferences/", "https://courier.example/unsubscribe/"


@pytest.fixture(autouse=True)
def _newsroom(settings: Any) -> None:
    settings.SITE_NAME, settings.LEGAL_NAME = "The Courier", "The Courier NGO"
    settings.SITE_URL = "https://courier.example"
    settings.LEGAL_ADDRESS = settings.LEGAL_REGISTRATION = ""
    settings.EDITOR_NAME, settings.EDITOR_ROLE = "Mariana Savchuk", "Editor-in-chief"


def letter(stream: str = "service", *, is_discreet: bool = False, **facts: Any) -> Letter:
    who = Supporter(email="olena@example.org", is_discreet=is_discreet)
    context = {**FACTS, **facts}
    return render(
        Message(kind="thanks_first_once", key="k", language="en", supporter=who, stream=stream, context=context)
    )


def test_a_service_letter_leads_to_the_preferences_and_offers_no_unsubscribing() -> None:
    shown = letter()
    for part in (shown.text, shown.html):
        assert CHOICES in part
        assert "Unsubscribe" not in part
        assert "The Courier NGO" in part


def test_a_letter_of_choice_is_unsubscribed_from_by_its_link() -> None:
    shown = letter("relationship")
    for part in (shown.text, shown.html):
        assert WAY_OFF in part
        assert CHOICES in part


def test_a_letter_to_staff_has_no_legal_footer_and_nobody_signs_it() -> None:
    shown = letter("staff")
    for part in (shown.text, shown.html):
        for words in ("preferences", "unsubscribe", "privacy", "The Courier NGO", "Savchuk"):
            assert words not in part
        assert "You get this letter because" in part


def test_a_person_signs_with_name_and_role_else_the_newsroom(settings: Any) -> None:
    assert "Mariana Savchuk\nEditor-in-chief, The Courier\n" in letter().text
    settings.EDITOR_NAME = ""
    assert "\nThe Courier\n" in letter().text


def test_a_discreet_letter_has_no_name_of_ours_on_top_and_nothing_in_a_list_of_mails() -> None:
    shown = letter(is_discreet=True)
    top = shown.html.partition("<h1")[0]
    assert "The Courier" not in re.sub(r"(?s)<head>.*</head>", "", top)
    assert "charged" not in top
    assert "charged" in letter().html.partition("<h1")[0]
    assert "Mariana Savchuk\nEditor-in-chief\n" in shown.text


def test_after_the_preheader_a_list_of_mails_has_nothing_to_show() -> None:
    found = re.search(r'(?s)<div class="preheader"[^>]*>(.*?)</div>', letter().html)
    assert found
    words = unescape(found[1])
    assert words.startswith("You gave once. Nothing more will be charged.")
    assert len(words) > 200
    assert set(words.partition("charged.")[2]) == {"\u034f", "\u200c", "\xa0"}


def test_the_button_is_a_cell_with_its_own_ground_and_a_hand_high() -> None:
    found = re.search(r'<td class="act" style="([^"]+)"><a class="label" href="[^"]+" style="([^"]+)">', letter().html)
    assert found
    cell, label = found[1], found[2]
    assert "background-color: #0b4f8a" in cell
    assert "mso-padding-alt: 12px 24px" in cell
    assert "padding: 12px 24px" in label  # with its line of 22 px and its border 48 px
    assert "bold 16px/22px" in label


def test_every_cell_of_the_sheet_has_a_ground_of_its_own() -> None:
    drawn = re.sub(r"(?s)<!--.*?-->", "", letter().html)
    bare = [cell for cell in re.findall(r"<t[dh]\b[^>]*>", drawn) if "background-color" not in cell]
    assert bare == []


def test_buttons_are_made_in_one_place() -> None:
    folder = Path(django_settings.BASE_DIR) / "templates" / "emails"
    made = [str(path.relative_to(folder)) for path in folder.rglob("*.html") if 'class="act' in path.read_text()]
    assert made == ["parts/button.html"]


def test_a_discreet_letter_that_no_person_signs_is_not_signed(settings: Any) -> None:
    settings.EDITOR_NAME = ""
    shown = letter(is_discreet=True)
    assert "The Courier" not in shown.text.partition("\n--\n")[0]
    assert "signature" not in re.sub(r"(?s)<head>.*</head>", "", shown.html)
