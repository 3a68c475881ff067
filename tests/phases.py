"""Where the time of a run goes: `make test ARGS=--phases` prints a table, added up over the workers.

The functions below are watched while tests run. A phase's seconds are its own: those of a phase inside it are taken
off. Threads beside the main one are not watched; other processes show only as their processor time.
"""

from __future__ import annotations

import functools
import importlib
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

WATCHED = {
    "tests.database:copy_of_the_template": "making the test database",
    "tests.conftest:empty_the_tables": "emptying tables",
    "stripe_simulator.server.server:serve": "simulator begins and ends",
    "stripe_simulator.server.server:Running.stop": "simulator begins and ends",
    "stripe_simulator.simulator:Simulator.advance": "simulator's time passes",
    "stripe._http_client:HTTPClient.request_with_retries": "requests to the simulator",
    "django.test.client:Client.request": "requests of Django's test client",
    "django.template.base:Template.render": "templates",
    "members.mail.rendering:render": "letters, without their templates",
    "payments.letters.due:send": "looking for letters that are due",
    "payments.webhooks.drain:until_nothing_is_due": "working on events",
    "django.db.backends.utils:CursorWrapper.execute": "database",
    "django.db.backends.utils:CursorWrapper.executemany": "database",
    "playwright._impl._sync_base:SyncBase._sync": "browser",
    "playwright.sync_api._context_manager:PlaywrightContextManager.__enter__": "browser",
    "tests.processes.theatre:Theatre.open": "processes begin and end",
    "tests.processes.theatre:Theatre.close": "processes begin and end",
    "tests.processes.theatre:Theatre.set_again": "processes begin and end",
    "tests.processes.theatre:Theatre.start": "processes begin and end",
    "tests.processes.theatre:Theatre.until": "processes, waited for",
    "tests.processes:eventually": "processes, waited for",
    "tests.processes.commands:Commands.run": "commands of an operator",
    "subprocess:run": "processes, waited for",
}
BEGAN = time.perf_counter()


class Watch:
    """Seconds and visits of each phase of this process."""

    def __init__(self) -> None:
        self.seconds, self.visits = Counter[str](), Counter[str]()
        self._inside: list[float] = []  # how long the phases inside each open one took

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        self._inside.append(0.0)
        try:
            yield
        finally:
            took = time.perf_counter() - began
            self.seconds[name] += took - self._inside.pop()
            self.visits[name] += 1
            if self._inside:
                self._inside[-1] += took

    def over(self, where: str, name: str) -> None:
        """Watch the function at an address such as `package.module:Class.method`."""
        module, _, path = where.partition(":")
        *owners, last = path.split(".")
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        setattr(owner, last, self._watched(getattr(owner, last), name))

    def _watched(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is not threading.main_thread():
                return function(*args, **kwargs)
            with self.phase(name):
                return function(*args, **kwargs)

        return call

    def figures(self) -> dict[str, list[float]]:
        own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return {name: [seconds, self.visits[name]] for name, seconds in self.seconds.items()} | {
            "(processor, the tests' own)": [own.ru_utime + own.ru_stime, 1],
            "(processor, of processes that ended)": [children.ru_utime + children.ru_stime, 1],
        }


class Phases:
    """The hooks of one process; the one that started pytest adds up what xdist's workers say."""

    def __init__(self) -> None:
        self.watch, self.workers = Watch(), list[dict[str, list[float]]]()

    def pytest_collection_finish(self) -> None:
        self.watch.seconds["starting and collecting"] = time.perf_counter() - BEGAN
        self.watch.visits["starting and collecting"] = 1
        for where, name in WATCHED.items():
            self.watch.over(where, name)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        with self.watch.phase("before the tests: fixtures"):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        with self.watch.phase("the tests themselves"):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Iterator[None]:
        with self.watch.phase("after the tests: fixtures"):
            return (yield)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.workers.append(node.workeroutput.get("phases", {}))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if output := getattr(session.config, "workeroutput", None):
            output["phases"] = self.watch.figures()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        total, visits = Counter[str](), Counter[str]()
        for figures in self.workers or [self.watch.figures()]:
            for name, (seconds, times) in figures.items():
                total[name] += seconds
                visits[name] += int(times)
        terminalreporter.section(f"phases, {len(self.workers) or 1} at work")
        for name, seconds in total.most_common():
            terminalreporter.write_line(f"{seconds:8.1f} s {visits[name]:8} times  {name}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--phases", action="store_true", help="say where the time went, phase by phase")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--phases"):
        config.pluginmanager.register(Phases(), "phases of this run")
