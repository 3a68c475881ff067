"""The Ukrainian catalogue is whole, says what the English says, and is compiled. Needs neither gettext nor a database.

When a test fails: `manage.py makemessages` as in CONTRIBUTING.md, write what is missing, `compilemessages`, run again.
"""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "locale" / "uk" / "LC_MESSAGES"
FLOORS = ("members", "appeals", "payments", "project")
SUBJECT_LENGTH = 55
LONGEST = {
    "site_name": "The Dnipro Courier",
    "subject": "Payments may be arriving late",
    "sum": "100\xa0000,00\xa0CA$",
    "day": "22 листопада 2026",
    "gift": "100\xa0000,00\xa0₴ щомісяця",
    "words": "100\xa0000,00\xa0₴ щомісяця",
    "number": "1000",
    "years": "10",
}
# How many of the arguments are msgids, and whether a context comes first.
CALLS = {
    "_": (1, False),
    "gettext": (1, False),
    "gettext_lazy": (1, False),
    "gettext_noop": (1, False),
    "ngettext": (2, False),
    "ngettext_lazy": (2, False),
    "pgettext": (1, True),
    "pgettext_lazy": (1, True),
    "npgettext": (2, True),
    "npgettext_lazy": (2, True),
}
LITERAL = r"""u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
IN_TEMPLATE = re.compile(rf"\b(_|n?p?gettext)\(({LITERAL}(?:\s*,\s*{LITERAL})*)")
PLACEHOLDER = re.compile(r"%\((\w+)\)[-+ #0]*[\d.]*([a-zA-Z])|%([sdf])|\{(\w*)\}")
TAG = re.compile(r"<[^>]+>")

PO = polib.pofile(FOLDER / "django.po")
ENTRIES = [entry for entry in PO if not entry.obsolete]

Key = tuple[str, str, str]  # context, msgid, plural


def key(entry: polib.POEntry) -> Key:
    return entry.msgctxt or "", entry.msgid, entry.msgid_plural or ""


def translations(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def said() -> Iterator[tuple[polib.POEntry, str]]:
    """Every Ukrainian string without its placeholders and markup."""
    for entry in ENTRIES:
        for text in translations(entry):
            yield entry, PLACEHOLDER.sub("", TAG.sub("", text))


def wrong(pattern: str) -> list[str]:
    return [text for _entry, text in said() if re.search(pattern, text)]


def call(name: str, texts: list[str]) -> Key:
    number, has_context = CALLS[name]
    context = texts.pop(0) if has_context else ""
    return context, texts[0], texts[1] if number == 2 else ""


def in_python(path: Path) -> Iterator[Key]:
    for node in ast.walk(ast.parse(path.read_text())):
        name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if name in CALLS and isinstance(node.args[0], ast.Constant):
            number, has_context = CALLS[name]
            yield call(name, [argument.value for argument in node.args[: number + has_context]])


def in_template(path: Path) -> Iterator[Key]:
    for name, arguments in IN_TEMPLATE.findall(templatize(path.read_text())):
        yield call(name, [ast.literal_eval(literal) for literal in re.findall(LITERAL, arguments)])


def in_source() -> set[Key]:
    python = [path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")]
    templates = [path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt")]
    return {each for path in python for each in in_python(path)} | {e for path in templates for e in in_template(path)}


def placeholders(text: str) -> set[tuple[str, ...]]:
    return set(PLACEHOLDER.findall(text.replace("%%", "")))


def test_every_word_for_people_is_in_the_catalogue() -> None:
    assert sorted(in_source() - {key(entry) for entry in ENTRIES}) == []


def test_the_catalogue_has_no_word_that_nobody_says_any_more() -> None:
    assert sorted({key(entry) for entry in ENTRIES} - in_source()) == []
    assert [entry.msgid for entry in PO.obsolete_entries()] == []


def test_nothing_is_missing_or_only_guessed() -> None:
    assert [entry.msgid for entry in ENTRIES if entry.fuzzy] == []
    assert [entry.msgid for entry in ENTRIES if not all(translations(entry))] == []
    assert not PO.metadata_is_fuzzy


def test_every_plural_has_all_its_forms() -> None:
    forms = int(re.search(r"nplurals=(\d+)", PO.metadata["Plural-Forms"])[1])  # type: ignore[index]
    plurals = [entry for entry in ENTRIES if entry.msgid_plural]
    assert plurals
    assert [entry.msgid for entry in plurals if sorted(entry.msgstr_plural) != list(range(forms))] == []


@pytest.mark.parametrize(("number", "form"), [(1, "1 внесок"), (3, "3 внески"), (5, "5 внесків"), (21, "21 внесок")])
def test_numbers_take_their_form(number: int, form: str) -> None:
    with (FOLDER / "django.mo").open("rb") as compiled:
        words = gettext.GNUTranslations(compiled)
    assert words.ngettext("%(goal)s gift", "%(goal)s gifts", number) % {"goal": number} == form


def test_what_is_filled_in_is_the_same_in_both_languages() -> None:
    assert [
        (entry.msgid, text)
        for entry in ENTRIES
        for text in translations(entry)
        if placeholders(text) != placeholders(entry.msgid_plural or entry.msgid)
    ] == []


def test_links_and_marks_are_the_same_in_both_languages() -> None:
    assert [
        (entry.msgid, text)
        for entry in ENTRIES
        for text in translations(entry)
        if sorted(TAG.findall(text)) != sorted(TAG.findall(entry.msgid))
    ] == []


def test_the_compiled_catalogue_is_the_written_one() -> None:
    compiled = {key(entry): translations(entry) for entry in polib.mofile(FOLDER / "django.mo")}
    written = {key(entry): translations(entry) for entry in ENTRIES}
    assert compiled == written, "run compilemessages"


def test_ukrainian_is_written_in_ukrainian_letters() -> None:
    assert wrong("[ыэёъЫЭЁЪ]") == []
    assert wrong("[а-яіїєґА-ЯІЇЄҐ][a-zA-Z]|[a-zA-Z][а-яіїєґА-ЯІЇЄҐ]") == [], "a Latin letter that looks Cyrillic"


def test_quotation_marks_apostrophes_and_dashes_are_ukrainian() -> None:
    assert wrong("[\"“”„']") == [], "write « » and ’"
    assert wrong(r"(^|[ \xa0])[-–]([ \xa0]|$)| —") == [], "write — with an unbreakable space before it"
    assert wrong(r"\.\.\.") == []
    assert [text for entry in ENTRIES for text in translations(entry) if re.search(r"  |^\s|\s$", text)] == []


def test_nobody_is_shouted_at_and_nobody_is_guessed_to_be_a_man_or_a_woman() -> None:
    assert wrong("!") == []
    assert wrong(r"\w\((?:ла|ася|лася|а|на|ка|ця)\)|\w/(?:ла|ася|ка|ця)\b") == []


def test_subjects_of_letters_fit_into_a_list_of_mails() -> None:
    subjects = {each for path in (ROOT / "templates" / "emails").glob("*/subject.txt") for each in in_template(path)}
    spoken = {key(entry): translations(entry) for entry in ENTRIES}
    written = [text % LONGEST for each in subjects for text in (each[1], each[2], *spoken[each])]
    assert len(written) > 10
    assert [text for text in written if len(text) > SUBJECT_LENGTH] == []
