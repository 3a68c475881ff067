"""The documents tell the truth: what they name exists, and what exists is named where one would look for it.

Each message says which document to correct. No database, no network.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe
from django.apps import apps
from django.urls import Resolver404, resolve

from payments.stripe_api.client import API_VERSION
from payments.stripe_api.event_types import HANDLED
from project import settings as settings_module

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
REFERENCE = "docs/reference.md"
ASSUMED = "docs/assumed-of-stripe.md"
# A function, class or constant of a module.
DEFINED = r"(?m)^(?:def |class )?{}\b(?= ?[(:=])"
FLOORS = ["members", "appeals", "payments", "project"]
# Read from the environment, and made by make, Python or Django themselves.
NOT_SETTINGS = {"MAKELEVEL", "PYTHONPATH", "DJANGO_SETTINGS_MODULE"}
LOGGED = ("debug", "info", "warning", "error", "exception", "critical", "log")
SUFFIXES = (".py", ".md", ".html", ".css", ".js", ".toml", ".txt", ".yaml")


def text(name: str) -> str:
    return (ROOT / name).read_text()


def prose(name: str) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text(name), flags=re.MULTILINE | re.DOTALL)


def quoted(name: str) -> list[str]:
    """What stands in backticks in a document's prose."""
    return re.findall(r"`([^`\n]+)`", prose(name))


def code_files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return [path for path in found if "simulator" not in path.parts and "migrations" not in path.parts]


def settings_read() -> set[str]:
    """Every variable that the settings, the code around them or compose.yaml take from the environment."""
    names = set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"', Path(settings_module.__file__).read_text()))
    for path in code_files(*FLOORS):
        names |= set(re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', path.read_text()))
    names |= set(re.findall(r"\$\{([A-Z_]+)", text("compose.yaml")))
    return names - NOT_SETTINGS


def settings_listed() -> dict[str, str]:
    """Return every variable of .env.example with the value given there, set or as a comment."""
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text(".env.example"), flags=re.MULTILINE))


def test_every_variable_is_in_the_example_and_nothing_else() -> None:
    listed = settings_listed()
    assert settings_read() - set(listed) == set(), "Add these to .env.example, with meaning and default."
    assert set(listed) - settings_read() == set(), "Nothing reads these any more: take them out of .env.example."


def test_the_example_gives_the_numbers_that_are_the_defaults() -> None:
    pattern = r'env\.int\("([A-Z_]+)", default=(\d+)\)'
    defaults = dict(re.findall(pattern, Path(settings_module.__file__).read_text()))
    listed = {name: value for name, value in settings_listed().items() if name in defaults}
    assert listed == defaults, "Correct the numbers in .env.example."


def test_the_reference_names_every_variable() -> None:
    assert settings_read() - set(quoted(REFERENCE)) == set(), "Add these to the settings of docs/reference.md."


def commands() -> Iterator[str]:
    for floor in FLOORS:
        yield from (path.stem for path in (ROOT / floor / "management" / "commands").glob("[a-z]*.py"))


def test_the_reference_names_every_command() -> None:
    targets = re.findall(r"^([a-z]+):.*## ", text("Makefile"), flags=re.MULTILINE)
    wanted = [f"`make {target}" for target in targets] + [f"`manage.py {command}" for command in commands()]
    assert len(wanted) > 8
    assert [words for words in wanted if words not in text(REFERENCE)] == [], "Name these in docs/reference.md."


def names_of_tests(path: Path) -> set[str]:
    """Names as pytest says them: function, or Class::function."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            names.add(node.name)
    return names


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_test_that_is_named_exists(name: str) -> None:
    named = re.findall(r"(tests/[\w/]+\.py)::([\w:]+)", text(name))
    missing = [
        f"{path}::{test}"
        for path, test in named
        if not (ROOT / path).exists() or test not in names_of_tests(ROOT / path)
    ]
    assert missing == [], f"{name} names tests that are not there."


def test_every_promise_names_its_tests_and_each_test_is_named_once() -> None:
    rows = [line for line in text("docs/promises.md").splitlines() if re.match(r"\| (?!promise|-|\| promise)", line)]
    named = [re.findall(r"`(tests/[\w/]+\.py::[\w:]+)`", row) for row in rows]
    assert len(rows) > 60
    assert [row for row, tests in zip(rows, named, strict=True) if not tests] == [], "Name a test for each of these."
    counted = Counter(test for tests in named for test in tests)
    assert [test for test, times in counted.items() if times > 1] == [], "docs/promises.md names these tests twice."


def test_every_assumption_of_stripe_names_a_place_and_a_test() -> None:
    rows = [line.split(" | ") for line in text(ASSUMED).splitlines() if line.startswith("| A-")]
    assert [row[0] for row in rows] == [f"| A-{number:03}" for number in range(1, len(rows) + 1)]
    for number, _what, _source, where, tests in rows:
        places = re.findall(r"`([\w/]+\.py)::(\w+)`", where)
        missing = [f"{path}::{name}" for path, name in places if not re.search(DEFINED.format(name), text(path))]
        assert (missing, bool(places), "`tests/" in tests) == ([], True, True), f"{ASSUMED}: correct {number}."


def test_every_docstring_of_the_sdk_that_is_a_source_exists() -> None:
    named = re.findall(r"`stripe\.([\w.]+)`", text(ASSUMED))
    assert len(named) > 100
    assert [name for name in named if not in_the_sdk(name)] == [], f"{ASSUMED} names what the SDK does not have."


def in_the_sdk(name: str) -> bool:
    """Return whether the SDK has this class, method or annotated field."""
    found: Any = stripe
    *path, last = name.split(".")
    for part in path:
        found = getattr(found, part)
    return hasattr(found, last) or any(last in getattr(each, "__annotations__", {}) for each in found.__mro__)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_to_a_file(name: str) -> None:
    found = re.findall(r"\]\(([^)\s]+)\)", prose(name)) + re.findall(r'(?:href|src)="([^"]+)"', prose(name))
    links = [link for link in found if not re.match(r"https?://|mailto:|#", link)]
    missing = [link for link in links if not (ROOT / name).parent.joinpath(link.partition("#")[0]).exists()]
    assert missing == [], f"{name} links to files that are not there."


def exists(path: str) -> bool:
    """A path from the root, or the bare name of a file somewhere in the code."""
    if (ROOT / path).exists():
        return True
    return "/" not in path and any(file for folder in [*FLOORS, "tests"] for file in (ROOT / folder).rglob(path))


def test_every_function_that_a_walk_names_is_where_it_says() -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", text("ARCHITECTURE.md"))
    missing = [f"{path}::{name}" for path, name in named if name not in functions_in(path)]
    assert len(named) > 20
    assert not missing, f"ARCHITECTURE.md walks through functions that are not there: {missing}"


def functions_in(path: str) -> set[str]:
    return {node.name for node in ast.parse(text(path)).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_that_is_named_exists(name: str) -> None:
    words = [word.partition("::")[0] for word in quoted(name) if re.fullmatch(r"\.?[A-Za-z][\w./:-]*", word)]
    letters = r"(subject|body)\.(txt|html)"  # parts of a folder that is named beside them
    paths = [word for word in words if ("/" in word or word.endswith(SUFFIXES)) and not re.fullmatch(letters, word)]
    assert [path for path in paths if "://" not in path and not exists(path)] == [], (
        f"{name} names paths that are not there."
    )


@pytest.mark.parametrize("name", [*DOCUMENTS, ".env.example", "compose.yaml", "Dockerfile"])
def test_no_path_of_somebody_s_machine(name: str) -> None:
    assert re.findall(r"(?<![\w.])/(?:home|root|work|Users)/\S*", text(name)) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_speak_calmly(name: str) -> None:
    assert "!" not in re.sub(r"`[^`\n]+`", "", prose(name)), f"{name}: no exclamation marks."


def test_the_readme_stays_short_enough_to_forward() -> None:
    words = re.sub(r"<[^>]+>|\([^)\s]+\)", "", text("README.md")).split()
    assert len(words) < 850, "Move details from the README to docs/."


def test_every_picture_is_shown_and_light() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").glob("*.png"))
    assert len(pictures) > 3
    unseen = [each.name for each in pictures if f"docs/pictures/{each.name}" not in text("README.md")]
    assert unseen == [], "The README shows every picture."
    heavy = [each.name for each in pictures if each.stat().st_size > 100_000]
    assert heavy == [], "A picture weighs at most 100 kB: take it with tests/pictures.py."


def addresses_in(name: str) -> list[str]:
    return [word for word in quoted(name) if word.startswith("/") and not word.startswith(("/var/", "/_"))]


@pytest.mark.parametrize(("name", "least"), [(REFERENCE, 15), ("README.md", 2)])
def test_every_address_that_readers_are_given_answers(name: str, least: int) -> None:
    addresses = addresses_in(name)
    assert len(addresses) > least
    missing = []
    for address in addresses:
        try:
            resolve(re.sub(r"<\w+>", "x", address))
        except Resolver404:
            missing.append(address)
    assert missing == [], f"{name} names addresses that do not answer."


def test_operators_are_told_exactly_our_event_types() -> None:
    told = re.findall(r"^[a-z_]+(?:\.[a-z_]+)+$", text("docs/operations.md"), flags=re.MULTILINE)
    assert sorted(told) == sorted(HANDLED), "docs/operations.md lists the events to register at Stripe."


def test_operators_are_told_every_call_to_stripe() -> None:
    """The permissions of a restricted key follow from what the client calls."""
    client = text("payments/stripe_api/client.py") + text("payments/stripe_api/lists.py")
    called = {match.removesuffix(".") for match in re.findall(r"\.v1\.([a-z_]+(?:\.sessions)?)", client)}
    told = {word.split(" ")[0] for word in quoted("docs/operations.md")}
    assert len(called) > 6
    assert called - told == set(), "docs/operations.md lists what the restricted key is for."


def log_lines() -> Iterator[tuple[str, str]]:
    """Place and format of every line of ours."""
    for path in code_files(*FLOORS):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id in ("log", "logger")):
                continue
            if node.func.attr not in LOGGED:
                continue
            words = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            yield f"{path.relative_to(ROOT)}:{node.lineno}", words[0] if words else ""


def test_operators_are_told_every_line_of_the_log() -> None:
    told = quoted("docs/operations.md")
    found = list(log_lines())
    assert len(found) > 15
    unknown = []
    for place, line in found:
        pattern = "[^ ]+?".join(re.escape(part) for part in re.split(r"%[sd]", line))
        if not any(re.fullmatch(pattern, each) for each in told):
            unknown.append(f"{place}: {line}")
    assert unknown == [], "docs/operations.md says of every line what to do; write %s as one word."


def test_operators_are_told_every_metric() -> None:
    queues = re.findall(r'_queue\("(\w+)"', text("project/metrics.py"))
    patterns = re.findall(r'GaugeMetricFamily\(f"(\w+)\{name\}(\w*)"', text("project/metrics.py"))
    wanted = {f"{before}{queue}{after}" for queue in queues for before, after in patterns}
    wanted |= set(re.findall(r'GaugeMetricFamily\("(\w+)"', text("project/metrics.py")))
    assert len(wanted) > 8
    told = {word.partition("{")[0] for word in quoted("docs/operations.md")}
    assert wanted - told == set(), "docs/operations.md lists the metrics."


def test_every_model_says_what_it_keeps_about_people() -> None:
    models = {model.__name__ for floor in FLOORS[:3] for model in apps.get_app_config(floor).get_models()}
    assert len(models) > 15
    assert models - set(quoted("docs/privacy.md")) == set(), "docs/privacy.md says of every model what it keeps."


def test_the_record_of_the_api_version_is_the_one_in_use() -> None:
    record = text("docs/decisions/0003-stripes-api-version-and-field-paths.md")
    (pin,) = re.findall(r"^stripe==(\S+)$", text("requirements.txt"), flags=re.MULTILINE)
    assert f"`{API_VERSION}` with stripe {pin}." in record


def test_decisions_are_numbered_and_whole() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [record.name[:4] for record in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for record in records:
        lines = record.read_text().splitlines()
        assert lines[0].startswith(f"# {record.name[:4]} "), record.name
        assert [line for line in lines if line.startswith("## ")] == ["## Context", "## Decision", "## Consequences"]
