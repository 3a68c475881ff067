"""The samples of all emails: complete, short, in both languages; nothing is stored or sent.

No name, however hostile, adds markup, a header or a link to an email.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.utils.translation import override
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from members.mail.kinds import KINDS
from members.mail.rendering import as_email, render
from payments.desk.samples.catalogue import SAMPLES
from payments.desk.samples.people import PEOPLE, SamplePerson
from payments.desk.samples.showing import Shown, made, show

LETTERS = [(kind, case) for kind, sample in SAMPLES.items() for case in sample.cases]
LANGUAGES = [code for code, _name in django_settings.LANGUAGES]
MEAN = (
    "<b>Olena</b>",
    '"><img src=x onerror=alert(1)>',
    "</title><script>alert(1)</script>",
    "<!--",
    "&lt;b&gt;",
    "Olena\r\nBcc: everybody@evil.example",
    "Olena\nSubject: You won",
    "Olena\x0b\x85\u2028To: x@evil.example",
    "https://evil.example/pay",
    "www.evil.example",
    "evil.example",
    "evil。example",
    "pay@evil.example",
    "//evil.example Olena",
    "tel:+380441234567",
    "+380441234567",
    "{{ 7|add:7 }}{% debug %}",
    "%(sum)s %s {0}",
    "\u202egnp.exe",
    "Olena\u200b\u2066",
    "javascript:alert(1)",
    "x" * 120,
    "Ole\u0301na",
)
# Mail programs make a link of an address, and of a word with a dot and letters after it.
LINKED = re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://\S+|\S+@\S+|\b[^\W_][\w-]*(?:\.|。)[^\W\d_]{2,}\S*|\+\d{7,}|//\S+")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _newsroom(settings: Any, db: None) -> None:
    settings.SITE_URL, settings.SITE_NAME = "https://courier.example", "The Courier"
    settings.LEGAL_NAME, settings.LEGAL_REGISTRATION = "The Courier NGO", "registration 00000000"
    settings.EDITOR_NAME, settings.EDITOR_ROLE = "Mariana Savchuk", "Editor-in-chief"


def everything(kind: str, case: str) -> Iterator[tuple[str, Shown]]:
    for person in PEOPLE.values():
        for language in LANGUAGES:
            yield f"{kind}/{case} {person.slug} {language}", show(kind, case, person, language)


def named(name: str, *, like: str = "ordinary") -> SamplePerson:
    return replace(PEOPLE[like], slug="mean", name=name)


def folders() -> set[str]:
    return {path.parent.name for path in (Path(django_settings.BASE_DIR) / "templates/emails").glob("*/subject.txt")}


def test_every_kind_that_is_written_has_a_sample() -> None:
    assert sorted(folders() & set(KINDS) - set(SAMPLES) - {"test"}) == []


def test_every_sample_is_of_a_letter_that_is_written() -> None:
    assert sorted(set(SAMPLES) - folders()) == []
    assert all(sample.cases for sample in SAMPLES.values())


def test_nothing_stays_and_nothing_is_sent(django_capture_on_commit_callbacks: Any) -> None:
    def rows() -> dict[str, int]:
        return {model._meta.label: model._default_manager.count() for model in apps.get_models()}

    before = rows()
    with django_capture_on_commit_callbacks() as callbacks:
        for kind, case in LETTERS:
            show(kind, case, PEOPLE["ordinary"], "en")
    assert rows() == before
    assert callbacks == []


def test_what_breaks_while_a_sample_is_shown_leaves_nothing_either() -> None:
    with pytest.raises(ZeroDivisionError), made("receipt_recurring", "goes_on", PEOPLE["ordinary"], "en"):
        raise ZeroDivisionError
    assert apps.get_model("members.Supporter")._default_manager.count() == 0


@pytest.mark.parametrize(("kind", "case"), LETTERS)
def test_each_is_short_light_and_whole_for_everybody(kind: str, case: str) -> None:
    wrong = []
    for name, shown in everything(kind, case):
        letter, words = shown.letter, 250 if shown.stream == "relationship" else 150
        is_hidden = "discreet" in name and shown.stream != "staff"
        whole = f"{letter.subject}\n{letter.text}\n{visible(letter.html)}"
        checks = {
            f"subject of {len(letter.subject)}: {letter.subject}": 5 < len(letter.subject) <= 55,
            f"{shown.words} words": shown.words <= words,
            f"{shown.size} bytes": shown.size <= 60_000,
            f"preheader {shown.preheader!r}": bool(shown.preheader) != is_hidden,
            "shouts": "!" not in whole,
            "a hole": not re.search(r"\bNone\b|\{\{|\{%|%\(|  +,|\(\)|(?<!\.)\.\.(?!\.)| ,", whole),
            "long lines": all(len(line) <= 72 or "://" in line for line in letter.text.splitlines()),
        }
        wrong += [f"{name}: {words}" for words, is_right in checks.items() if not is_right]
    assert wrong == []


@pytest.mark.parametrize(("kind", "case"), LETTERS)
def test_its_language_stands_in_it_and_its_dates_and_sums_are_text(kind: str, case: str) -> None:
    for language in LANGUAGES:
        html = show(kind, case, PEOPLE["ukrainian"], language).letter.html
        assert f'<html lang="{language}" dir="ltr"' in html
        assert "<img" not in html
        assert "url(" not in html


@pytest.mark.parametrize("name", MEAN)
def test_no_mean_name_adds_markup_a_header_or_a_link(name: str) -> None:
    for kind, case in LETTERS:
        look_for_what_was_added(kind, case, name)


@example(name="a.b")
@given(name=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_at_all_does(name: str) -> None:
    for kind, case in LETTERS[:: max(1, len(LETTERS) // 6)]:
        look_for_what_was_added(kind, case, name)


@dataclass(frozen=True)
class Parts:
    """The parts of an email that a name must not add to: headers, tags, and what its texts make a link of."""

    subject: str
    headers: list[str]
    tags: list[str]
    links: tuple[set[str], set[str], set[str]]


def parts(kind: str, case: str, name: str) -> Parts:
    with made(kind, case, named(name), "en") as message:
        letter = render(message)
        headers = sorted(as_email(message, letter).message().keys())
    texts = (letter.subject, letter.text, visible(letter.html))
    return Parts(letter.subject, headers, tags(letter.html), (links(texts[0]), links(texts[1]), links(texts[2])))


@cache
def to_nobody(kind: str, case: str) -> Parts:
    """Return the parts of the same email to a person without a name, made once for all names."""
    return parts(kind, case, "")


def look_for_what_was_added(kind: str, case: str, name: str) -> None:
    """Compare an email to a person of this name with the same email to a person without a name."""
    letter, plain = parts(kind, case, name), to_nobody(kind, case)
    where = f"{kind}/{case} to {name!r}"
    assert letter.headers == plain.headers, where
    assert not re.search(r"[\r\n]", letter.subject), where
    assert letter.tags == plain.tags, where
    for found, expected in zip(letter.links, plain.links, strict=True):
        assert found <= expected, where


def links(text: str) -> set[str]:
    """Return everything that mail programs would make a link of, without the tokens that differ between emails."""
    return {without_token(found) for found in LINKED.findall(text)}


def without_token(address: str) -> str:
    return re.sub(r"/\d+/", "/N/", re.sub(r"(/|again=)[\w.=-]{20,}", r"\1…", address))


class Reading(HTMLParser):
    """The tags of a page, in order, and its visible text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(f"{tag} {without_token(dict(attrs).get('href') or '')} {sorted(name for name, _ in attrs)}")

    def handle_data(self, data: str) -> None:
        if not self.tags[-1].startswith(("style", "title")):
            self.words.append(data)


def tags(html: str) -> list[str]:
    """Return the tags, without line breaks: a greeting without a name may leave one out."""
    return [tag for tag in Reading(html).tags if not tag.startswith("br")]


def visible(html: str) -> str:
    return " ".join(" ".join(Reading(html).words).split())


def test_what_is_looked_for_is_found() -> None:
    assert links("see evil.example, pay@evil.example https://a.b //x.y/z") == {
        "evil.example,",
        "pay@evil.example",
        "https://a.b",
        "//x.y/z",
    }
    assert tags("<p>a</p>") != tags("<p>a<b>c</b></p>")
    with override("uk"):
        assert visible("<title>x</title><p>a&amp;b</p>") == "a&b"
