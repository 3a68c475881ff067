"""The house rules that a machine can hold: imports go down, one door to Stripe, names that say a topic, sizes.

Each message names the rule; the reasons are in ARCHITECTURE.md.
"""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
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
    "payments/stripe_api/sdk/connection.py",
    "payments/stripe_api/sdk/types.py",
}
SIMULATOR = "stripe_simulator/"
DOORS = {"views", "admin", "api", "tasks", "management"}
# The rooms of `payments`, from the roof down: a room may import the rooms below its own line, and `models` and the base
# modules each other.
ROOMS = [
    ("roof",),
    ("admin", "staff", "desk", "views", "templatetags"),
    ("webhooks", "alerts", "reports"),
    ("rights",),
    ("reconciling",),
    ("recurring",),
    ("books",),
    ("letters",),
    ("accounts",),
    ("guard",),
    ("giving",),
    ("inbox",),
    ("stripe_api",),
    ("models", "base"),
]
# The modules that lie on the landing of `payments`, in no room: a new one belongs into a room, or is named here.
BASE = {
    "crash_points",
    "currencies",
    "cases",
    "errors",
    "heartbeats",
    "key_faults",
    "locks",
    "money",
    "rhythms",
    "stripe_requests",
}
ROOF = {"apps", "daily", "demo", "management", "tasks", "urls"}
# Desk pages share what `desk` holds, and one template tag shows a part of its front page.
SIDEWAYS = {("templatetags", "desk"), ("models", "base"), ("base", "models")}
SIDEWAYS |= {("admin", "desk"), ("admin", "staff"), ("staff", "desk")}
MOST_MODULES = 14
COUNTED = ("members", "appeals", "payments", "stripe_simulator")
FLOAT_FREE = [
    "payments/giving/checkout.py",
    "payments/currencies.py",
    "payments/reconciling/invariants.py",
    "payments/books/gifts.py",
    "payments/books/instalments.py",
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


def room_of(dotted: str) -> str:
    """The room of a module of `payments`; base or roof for a module on the landing."""
    name = dotted.split(".")[1]
    return "base" if name in BASE else "roof" if name in ROOF else name


def height(room: str) -> int:
    return next(number for number, rooms in enumerate(reversed(ROOMS)) if room in rooms)


def test_every_module_of_payments_has_a_room() -> None:
    known = {room for rooms in ROOMS for room in rooms} | BASE | ROOF | {"__init__"}
    found = {Path(name).parts[1].removesuffix(".py") for name in CODE if name.startswith("payments/")}
    assert not found - known, f"A room of payments, or a list of its landing, is missing in ROOMS. {found - known}"


def test_imports_between_the_rooms_of_payments_go_down() -> None:
    up = [
        f"{name}:{line} ({room}) imports {module}"
        for name in CODE
        if name.startswith("payments/")
        for room in [room_of(name.removesuffix(".py").replace("/", "."))]
        for line, module in imported(name)
        if module.startswith("payments.") and room != (other := room_of(module))
        if height(other) >= height(room) and (room, other) not in SIDEWAYS
    ]
    assert not up, f"The rooms of payments: imports go down, and no door imports a door. {up}"


def test_a_folder_has_one_noun() -> None:
    counts = Counter(
        str(Path(name).parent) for name in CODE if name.startswith(COUNTED) and Path(name).name != "__init__.py"
    )
    full = {folder: count for folder, count in counts.items() if count > MOST_MODULES}
    assert not full, f"A folder with more than {MOST_MODULES} modules has two nouns in it: split it. {full}"


def test_no_imports_go_in_a_circle() -> None:
    """Imports that only a type needs count too."""
    names = {name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): name for name in CODE}
    arrows = {module: {target_in(names, found) for _line, found in imported(name)} for module, name in names.items()}
    sorter = TopologicalSorter({module: found - {None, module} for module, found in arrows.items()})
    try:
        sorter.prepare()
    except CycleError as circle:
        pytest.fail(f"These modules import each other in a circle: {' -> '.join(circle.args[1])}")


def target_in(names: dict[str, str], found: str) -> str | None:
    """The module that an import reaches: the dotted name itself, or the module that a name is taken from."""
    return found if found in names else parent if (parent := found.rpartition(".")[0]) in names else None


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
        if module.split(".")[0] in {*FLOORS, "django"} and not module.startswith("payments.stripe_api.sdk.types")
    ]
    assert not inside, f"The simulator is a server of its own: none of our code, no Django. {inside}"


def test_only_the_roof_calls_doors() -> None:
    """Rules do not call doors, and a door calls no other one: a view no admin, a task no view."""
    called = [
        f"{name}:{line} imports {module}"
        for name in CODE
        if (parts := name.removesuffix(".py").split("/"))[0] in FLOORS[:-1] and parts[-1] != "urls"
        for line, module in imported(name)
        if (there := module.split("."))[0] in FLOORS and len(there) > 1 and there[1] in DOORS
        if parts[1] != there[1] and (parts[1], there[1]) != ("desk", "admin")
    ]
    assert not called, f"Doors call rules, never the other way, and never each other. {called}"


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
