"""Every letter in a real Chromium: everybody can read it, by day and by night, on a phone of 320 and 360 px.

With SCREENSHOTS=folder each is kept as pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from payments.desk.samples.catalogue import SAMPLES
from payments.desk.samples.people import PEOPLE
from payments.desk.samples.showing import show
from tests.browser.conftest import PHONE, Opener
from tests.browser.eye import RULES_OF_COLOUR, Eye
from tests.stage import Stage

pytestmark = pytest.mark.browser
LETTERS = [(kind, case) for kind, sample in SAMPLES.items() for case in sample.cases]
# Those that carry most: each is looked at as every person's.
FOR_EVERYBODY = [("thanks_first_recurring", "month"), ("refund_done", "part"), ("renewal_upcoming_year", "usual")]
WORDS = re.compile(r"(?s)<style data-css-inline.*?</style>")


@pytest.fixture(autouse=True)
def _newsroom(settings: Any) -> None:
    settings.SITE_URL, settings.SITE_NAME = "https://courier.example", "The Dnipro Courier"
    settings.LEGAL_NAME, settings.LEGAL_ADDRESS = "The Dnipro Courier NGO", "Dnipro"
    settings.LEGAL_REGISTRATION = "registration 00000000"
    settings.EDITOR_NAME, settings.EDITOR_ROLE = "Mariana Savchuk", "Editor-in-chief"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, color_scheme="light")  # type: ignore[arg-type]
    yield context.new_page()
    context.close()


def look(eye: Eye, kind: str, case: str, person: str, language: str) -> None:
    eye.page.set_content(show(kind, case, PEOPLE[person], language).letter.html)
    eye.look(f"{kind} {case} {person} {language}")


@pytest.mark.parametrize("language", ["en", "uk"])
def test_every_letter_can_be_read_by_everybody(committed: None, page: Page, language: str) -> None:
    eye = Eye(page)
    for kind, case in LETTERS:
        look(eye, kind, case, "ukrainian" if language == "uk" else "ordinary", language)
    assert eye.found == []


@pytest.mark.parametrize(("kind", "case"), FOR_EVERYBODY)
def test_the_fullest_letters_suit_every_person(committed: None, page: Page, kind: str, case: str) -> None:
    eye = Eye(page)
    for person in PEOPLE.values():
        for language in ("en", "uk"):
            look(eye, kind, case, person.slug, language)
    assert eye.found == []


def test_without_style_sheets_a_light_letter_is_left_that_can_be_read(committed: None, page: Page) -> None:
    """What is left are the styles in the tags, also where the program itself is dark."""
    eye = Eye(page)
    page.emulate_media(color_scheme="dark")
    for kind, case in LETTERS:
        html = show(kind, case, PEOPLE["ordinary"], "en").letter.html
        assert WORDS.search(html), "the dark style sheet is there to be dropped"
        page.set_content(WORDS.sub("", html))
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(22, 24, 29)"
        eye._axe(f"{kind} {case} without style sheets", RULES_OF_COLOUR)
    assert eye.found == []


def test_a_program_that_drops_the_grounds_outside_leaves_those_of_the_cells(committed: None, page: Page) -> None:
    eye = Eye(page)
    for kind, case in LETTERS:
        html = show(kind, case, PEOPLE["ordinary"], "en").letter.html
        page.set_content(html)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.evaluate("""() => {
                for (const one of document.querySelectorAll("html, body, div, table")) {
                    one.style.setProperty("background-color", "transparent", "important");
                }
                document.documentElement.style.setProperty("background-color", "#808080", "important");
            }""")
            eye._axe(f"{kind} {case} {scheme} without outer grounds", RULES_OF_COLOUR)
    assert eye.found == []


def test_the_button_is_high_enough_for_a_thumb(committed: None, page: Page) -> None:
    for kind, case in LETTERS:
        page.set_content(show(kind, case, PEOPLE["long"], "uk").letter.html)
        for button in page.query_selector_all(".act .label"):
            box = button.bounding_box()
            assert box, f"{kind} {case}"
            assert box["height"] >= 44, f"{kind} {case}"


def test_the_written_mail_of_a_demonstration_can_be_read_too(open_page: Opener, stage: Stage, settings: Any) -> None:
    settings.DEBUG = True
    stage.join("month", amount="10")
    stage.send_mail()
    eye = Eye(open_page())
    eye.page.goto("/demo/mail/")
    eye.look("demo mail", at_a_desk=True)
    eye.page.click("main li a, main td a")
    eye.look("demo mail one", at_a_desk=True)
    frame = eye.page.frame_locator("iframe")
    assert "patron" in frame.locator("h1").inner_text()
    assert eye.found == []
