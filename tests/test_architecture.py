"""The house rules that a machine can hold: imports go down, one door to Stripe, names that say a topic, sizes.

Each message names the rule; the reasons are in ARCHITECTURE.md.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ["members", "appeals", "payments", "project"]
FORBIDDEN_NAMES = {"services.py", "utils.py", "helpers.py", "managers.py", "common.py", "misc.py"}
LONGEST_FILE, LONGEST_FUNCTION = 300, 50
# The simulator stands in for Stripe and knows its shapes; the guard reads the SDK's types.
SDK_IMPORTERS = {
    "payments/stripe_api/client.py",
    "payments/stripe_api/refusals.py",
    "payments/stripe_api/sdk_types.py",
}
SIMULATOR = "stripe_simulator/"
DOORS = {"views", "admin", "api", "tasks", "management"}
FLOAT_FREE = [
    "payments/giving/checkout.py",
    "payments/currencies.py",
    "payments/reconciling/invariants.py",
    "payments/books/ledger.py",
    "payments/models/money.py",
    "payments/money.py",
    "payments/books/refund_requests.py",
    "payments/books/refunds.py",
    "payments/books/settlements.py",
]


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    names = listed.split() or [str(path.relative_to(ROOT)) for floor in FLOORS for path in (ROOT / floor).rglob("*.py")]
    return [name for name in names if (ROOT / name).exists() and "/migrations/" not in name]


FILES = tracked()
CODE = [name for name in FILES if not name.startswith("tests/")]


def tree(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text())


def imported(name: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything a file imports, at whatever depth."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


@pytest.mark.parametrize("floor", FLOORS[:-1])
def test_imports_go_down_only(floor: str) -> None:
    above = FLOORS[FLOORS.index(floor) + 1 :]
    against = [
        f"{name}:{line} imports {module}"
        for name in CODE
        if name.startswith(f"{floor}/")
        for line, module in imported(name)
        if module.split(".")[0] in above
    ]
    assert not against, f"The arrow: {floor} may not import {', '.join(above)}. " + "; ".join(against)


def test_only_the_client_imports_the_sdk() -> None:
    others = [
        f"{name}:{line}"
        for name in CODE
        if name not in SDK_IMPORTERS and not name.startswith(SIMULATOR)
        for line, module in imported(name)
        if module.split(".")[0] == "stripe"
    ]
    assert not others, f"Stripe's SDK has one door, payments/stripe_api/client.py. {others}"


def test_only_the_client_and_its_lists_reach_into_the_sdk() -> None:
    others = [
        f"{name}:{node.lineno}"
        for name in CODE
        if name not in {"payments/stripe_api/client.py", "payments/stripe_api/lists.py"}
        and not name.startswith(SIMULATOR)
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Attribute) and node.attr in {"v1", "v2"}
    ]
    assert not others, f"Calls to Stripe are functions of payments/stripe_api/client.py, or of lists.py. {others}"


def test_lists_only_read() -> None:
    called = {
        node.attr
        for node in ast.walk(tree("payments/stripe_api/lists.py"))
        if isinstance(node, ast.Attribute)
        and node.attr in {"create", "update", "modify", "delete", "cancel", "pay", "pause", "resume", "expire"}
    }
    assert not called, f"Writes go through _write in payments/stripe_api/client.py. {called}"


def test_the_product_never_imports_the_simulator() -> None:
    users = [
        f"{name}:{line}"
        for name in CODE
        if not name.startswith(SIMULATOR) and not name.endswith("commands/stripe_simulator.py")
        for line, module in imported(name)
        if module.startswith("stripe_simulator")
    ]
    assert not users, f"Production, development and tests share every line up to the socket. {users}"


def test_the_simulator_stands_alone() -> None:
    inside = [
        f"{name}:{line} imports {module}"
        for name in CODE
        if name.startswith(SIMULATOR)
        for line, module in imported(name)
        if module.split(".")[0] in {*FLOORS, "django"} and not module.startswith("payments.stripe_api.sdk_types")
    ]
    assert not inside, f"The simulator is a server of its own: none of our code, no Django. {inside}"


def test_rules_do_not_call_doors() -> None:
    doors_called = [
        f"{name}:{line} imports {module}"
        for name in CODE
        if name.count("/") == 1 and Path(name).stem not in {*DOORS, "urls", "apps", "api_docs", "middleware"}
        for line, module in imported(name)
        if len(parts := module.split(".")) > 2 and parts[0] in FLOORS and parts[1] in DOORS
    ]
    # mail.py and mail_sending.py wake the task that sends: the one call from a rule to Celery.
    doors_called = [found for found in doors_called if not found.startswith("members/mail")]
    assert not doors_called, f"Doors call rules, never the other way. {doors_called}"


def test_file_names_say_a_topic() -> None:
    bad = [name for name in FILES if Path(name).name in FORBIDDEN_NAMES]
    assert not bad, f"A file is named after its topic. {bad}"


def test_files_and_functions_stay_short() -> None:
    long_files = [name for name in FILES if (ROOT / name).read_text().count("\n") > LONGEST_FILE]
    long_functions = [
        f"{name}:{node.lineno} {node.name}"
        for name in FILES
        for node in ast.walk(tree(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    ]
    assert not long_files, f"{LONGEST_FILE} lines are long for a file. {long_files}"
    assert not long_functions, f"{LONGEST_FUNCTION} lines are long for a function. {long_functions}"


def test_modules_open_with_what_lives_there() -> None:
    silent = [
        name
        for name in CODE
        if name.split("/")[0] in FLOORS
        and not name.endswith(("__init__.py", "apps.py"))
        and "/commands/" not in name
        and ast.get_docstring(tree(name)) is None
    ]
    assert not silent, f"A module opens with what lives there. {silent}"


def test_no_signals_of_our_own() -> None:
    users = [
        f"{name}:{line}" for name in CODE for line, module in imported(name) if module.startswith("django.dispatch")
    ]
    assert not users, f"No Django signals of our own. {users}"


@pytest.mark.parametrize("name", FLOAT_FREE)
def test_money_is_never_a_float(name: str) -> None:
    floats = [
        f"{name}:{node.lineno}"
        for node in ast.walk(tree(name))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]
    assert not floats, f"Money is an integer in minor units. {floats}"


def test_no_import_inside_a_function() -> None:
    dodges = [
        f"{name}:{inner.lineno}"
        for name in CODE
        if name.split("/")[0] in FLOORS[:-1]
        for node in ast.walk(tree(name))
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert not dodges, f"No import inside a function to dodge a circle. {dodges}"
