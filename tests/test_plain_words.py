"""Docstrings are read once: plain words, the field's terms, a subject. The reasons are in CONTRIBUTING.md, Style."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator

from tests.test_architecture import CODE, FILES, ROOT

# A first line that opens like this is a riddle: "What somebody wants changed was wished before".
RIDDLE = re.compile(r"(What|Who|Those|One|That|Whose|Of what|Such)\b")
# Private words, with the plain term for each.
PLAIN = {
    "told": "emailed, reported, returned or shown",
    "wish": "request",
    "wishes": "requests",
    "wished": "requested",
    "lack": "have no",
    "lacks": "has no",
    "lacked": "missing",
    "owe": "queue",
    "owed": "queued, or due",
    "standing": "state",
    "afresh": "again",
    "anew": "again, or from scratch",
    "meanwhile": "since then",
}


def first_lines() -> Iterator[tuple[str, str]]:
    for name in CODE:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                line = (ast.get_docstring(node) or "").split("\n")[0]
                yield f"{name}:{getattr(node, 'lineno', 1)}", line


def test_no_docstring_opens_as_a_riddle() -> None:
    riddles = [f"{place} {line}" for place, line in first_lines() if RIDDLE.match(line)]
    assert not riddles, "A docstring's first line says what the function returns or does. " + "; ".join(riddles)


def test_first_lines_use_the_field_s_words() -> None:
    private = [
        f"{place} “{word}” is {PLAIN[word]}"
        for place, line in first_lines()
        for word in re.findall(r"[a-z]+", line.lower())
        if word in PLAIN
    ]
    assert not private, "Plain words in docstrings. " + "; ".join(private)


def test_the_formatter_lays_out_every_line() -> None:
    kept = []
    for name in FILES:
        with (ROOT / name).open("rb") as file:
            comments = [token for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
        kept += [f"{name}:{token.start[0]}" for token in comments if re.match(r"# fmt: *(skip|off)", token.string)]
    assert not kept, f"No `# fmt: skip`: where a file gets too long, it is two topics. {kept}"
