"""`make run`: everything in one terminal, from the servers to the website, until Ctrl-C.

Here are only the programs, their order and the output in the terminal. project/supervisor.py keeps programs running,
project/watchdog.py ends them, project/embedded/ has the servers, project/decisions.py chooses missing settings.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from project import embedded
from project.asking import answers, ask_readyz, count_undelivered
from project.decisions import DEFAULT_PORT, Decisions
from project.embedded.files import free_port
from project.supervisor import KeepsDying, Program, Supervisor, python
from project.watchdog import die_with_parent

MANAGE = str(embedded.BASE_DIR / "manage.py")
READY_SECONDS = 120.0
PORT_SECONDS = 4.0
SILENT_SECONDS = 5.0
# For how long beat waits if events of Stripe's stand-in have to arrive first; most of it is the drain asking for fees.
CATCH_UP_SECONDS = 20.0
# How lines of `seed_demo` begin: its progress, the last of it, and the login for later starts.
PROGRESS, ARRIVED, LOGIN = "Demo data", "Demo data: comparing", "Staff login:"
NOISE = (
    "Configuration allows spawning up to",
    "Warm shutdown (MainProcess)",
    "refused to gracefully stop",
    "Stripe's stand-in listens on",
    LOGIN,
)


class Interrupted(Exception):
    """The command was asked to stop before everything was running."""


class Command(BaseCommand):
    """The command `run`. It must not use the database itself: the servers start after the settings are read."""

    help = "Runs everything on this machine: servers, website, workers, and Stripe's stand-in."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="start empty: load no demo data")

    def handle(self, *args: Any, **options: Any) -> None:
        self.asked_to_stop = 0
        self.wants_demo = not options["no_demo"]
        self._listen_to_signals()
        os.umask(0o077)  # emails and all other files in DATA_DIR are private
        self.folder = embedded.data_dir()
        os.environ["DATA_DIR"] = str(self.folder)
        try:
            self.decisions = Decisions(self.folder)
            self.decisions.claim()
            self._refuse_taken_port()
            self.decisions.decide(os.environ)
            self._serve()
        except embedded.CannotStart as problem:
            raise CommandError(str(problem)) from None

    def _listen_to_signals(self) -> None:
        def ask_to_stop(*_: object) -> None:
            self.asked_to_stop += 1

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, ask_to_stop)
        if os.environ.get("MAKELEVEL"):
            # If make is killed, this process shall stop too.
            die_with_parent(signal.SIGTERM)

    def _refuse_taken_port(self) -> None:
        """Wait until the port is free: a run that was just killed needs time. Raises CommandError if it stays taken."""
        port = int(os.environ.get("PORT") or DEFAULT_PORT)
        deadline = time.monotonic() + PORT_SECONDS
        while free_port(port) != port:
            if time.monotonic() > deadline:
                raise CommandError(
                    f"Port {port} is taken by another program: stop that one, or choose: PORT={port + 1} make run"
                )
            time.sleep(0.1)

    def _serve(self) -> None:
        """Start the servers, run everything else, stop the servers."""
        self.servers = embedded.Servers(self.folder)
        try:
            self._say("Starting PostgreSQL and Valkey ..." if self.servers.usages else "Using the servers given.")
            self.addresses = self.servers.ensure()
            os.environ.update(self.addresses.as_environment())
            self._supervise()
        finally:
            self.servers.release()
        self._say("Everything has stopped.")

    def _supervise(self) -> None:
        quietly = {"LOG_LEVEL": os.environ.get("LOG_LEVEL") or "WARNING", "DJANGO_SETTINGS_MODULE": "project.settings"}
        self.supervisor = Supervisor(os.environ | quietly, sys.stdout, is_noise)
        problem = ""
        try:
            self._bring_up()
            self._watch()
        except Interrupted:
            pass
        except KeepsDying as death:
            problem = str(death)
        finally:
            self._say("\nStopping ...")
            self.supervisor.stop(must_hurry=lambda: self.asked_to_stop > 1)
        if problem:
            raise CommandError(problem)

    def _bring_up(self) -> None:
        """Migrate the database, make the demo data, start the programs, then say that everything is ready.

        While the demo data grow, both clocks move, so the website starts only afterwards.
        """
        planned = programs(self.folder, self.decisions.is_simulated)
        self.programs = {program.name: program for program in planned}
        self.supervisor.plan(planned)
        self._keep("simulator")
        self._say("Preparing the database ...")
        if self._wants_demo_now():
            self._make_demo()
        else:
            self._run_once("migrate", "--no-input", "--verbosity=0")
        self._say("Starting the website and the workers ...")
        self._start_the_rest()
        self._wait_until_ready()
        self._say(self._welcome())

    def _wants_demo_now(self) -> bool:
        """Return whether this database has no demo data, may have them, and nobody said that it shall have none."""
        is_possible = self.decisions.is_simulated and self.wants_demo
        return is_possible and not self.decisions.has_demo(self.addresses.database_url)

    def _make_demo(self) -> None:
        """Migrate the database and make the demo data, in one process; remember the demo login."""
        self._keep("worker", "bulk")  # they send the emails, and nothing else before beat starts
        words = self._run_once("seed_demo", "--migrate", speaks=PROGRESS)
        logins = [line for line in words.splitlines() if line.startswith(LOGIN)]
        self.decisions.remember_demo(self.addresses.database_url, "\n".join(logins))

    def _start_the_rest(self) -> None:
        """Start every program that does not run yet. Beat waits if the simulator still has events to deliver.

        After days without a run, Stripe's events of these days arrive now. A comparison before that would report them
        all as missing.
        """
        is_behind = False
        if self.decisions.is_simulated:
            simulator = os.environ["STRIPE_API_BASE"]
            is_behind = self._wait_for(lambda: answers(simulator)) and count_undelivered(simulator) > 0
        self._keep("web", "drain", "worker", "bulk")
        self.supervisor.keep(self.programs["beat"], in_seconds=CATCH_UP_SECONDS if is_behind else 0.0)

    def _keep(self, *names: str) -> None:
        """Start these programs, in this order, and keep them running; leave out programs that run already."""
        for program in (self.programs[name] for name in names if name in self.programs):
            if program.process is None:
                self.supervisor.keep(program)

    def _watch(self) -> None:
        while not self.asked_to_stop:
            self.supervisor.step()
            if not self.servers.are_alive():
                self._say("A keeper of our servers has gone; starting another.")
                self.servers.ensure()

    def _run_once(self, command: str, *words: str, speaks: str | None = None) -> str:
        """Run a management command to its end; return its last lines. Raises CommandError, Interrupted, KeepsDying."""
        program = Program(command, python(MANAGE, command, *words), speaks)
        code = self.supervisor.run(program, lambda: self._goes_on(program))
        if self.asked_to_stop:
            raise Interrupted
        if code:
            raise CommandError(f"`manage.py {command}` failed. Its output is above.")
        return "\n".join(program.last_lines)

    def _goes_on(self, program: Program | None = None) -> bool:
        """Return False once somebody asked to stop. If nothing was shown for some seconds, say that work continues.

        As soon as the clocks no longer move, start the website, while `program` compares the demo data with Stripe.
        """
        if program and program.last_lines and program.last_lines[-1].startswith(ARRIVED):
            self._keep("web")
        if time.monotonic() - max(self.said_at, self.supervisor.shown_at) > SILENT_SECONDS:
            self._say("  still at it ...")
        return not self.asked_to_stop

    def _wait_until_ready(self) -> None:
        """Wait until the website answers that it is ready. Raises CommandError if that takes too long, Interrupted."""
        words = ""

        def is_ready() -> bool:
            nonlocal words
            code, words = ask_readyz()
            return code == 200 and (not self.decisions.is_simulated or answers(os.environ["STRIPE_API_BASE"]))

        if not self._wait_for(is_ready):
            raise CommandError(f"The website did not get ready in {READY_SECONDS:.0f} seconds: {words[:300]}")

    def _wait_for(self, is_there: Callable[[], bool]) -> bool:
        """Look after the programs until `is_there` returns True; return False if it does not in time.

        Raises Interrupted.
        """
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self.supervisor.step()
            if not self._goes_on():
                raise Interrupted
            if is_there():
                return True
        return False

    def _welcome(self) -> str:
        site = f"http://127.0.0.1:{os.environ['PORT']}"
        rows = [
            ("An article with an appeal", f"{site}/demo/article/"),
            ("The support page", f"{site}/support/"),
            ("Staff", f"{site}/admin/"),
            ("Mails written so far", f"{site}/demo/mail/"),
        ]
        if self.decisions.is_simulated:
            rows.append(("Stripe's stand-in: clock, cards, events", os.environ["STRIPE_API_BASE"] + "/_simulator/"))
        has_demo = self.decisions.is_simulated and self.decisions.has_demo(self.addresses.database_url)
        lines = ["", "Ready.", *(["Demo data is complete."] if has_demo else []), ""]
        lines += [f"  {what:<40} {where}" for what, where in rows]
        if has_demo:
            lines += ["", *(f"  {line}" for line in self.decisions.demo_words.read_text().splitlines())]
        return "\n".join([*lines, "", f"  Data is in {self.folder}. Ctrl-C stops everything.", ""])

    def _say(self, words: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be closed
            self.stdout.write(words)
            self.stdout.flush()
        self.said_at = time.monotonic()


def programs(folder: Path, is_simulated: bool) -> list[Program]:
    """Return the programs to run, in the order in which they are stopped."""
    # Celery warns in six lines if it runs as root, which is normal in a container.
    celery = ("-Wignore:::celery.platforms", "-m", "celery", "--app=project", "--quiet")
    granian = ("-m", "granian", "--interface=wsgi", "--host=127.0.0.1", f"--port={os.environ['PORT']}", "--workers=1")
    threads = ("--blocking-threads=8", "--no-ws", "--log-level=warning", "--workers-kill-timeout=3")
    at_work = ("--concurrency=2", "--loglevel=WARNING", "--without-mingle")
    schedule = f"--schedule={folder / 'servers' / 'beat-schedule'}"
    wanted = [
        Program("web", python(*granian, *threads, "project.wsgi:application")),
        Program("drain", python(MANAGE, "drain")),
        Program("worker", python(*celery, "worker", *at_work, "--queues=celery")),
        Program("bulk", python(*celery, "worker", *at_work, "--queues=bulk", "--hostname=bulk@%h")),
        Program("beat", python(*celery, "beat", "--loglevel=WARNING", "--pidfile=", schedule)),
    ]
    if is_simulated:
        port = os.environ["STRIPE_API_BASE"].rpartition(":")[2]
        wanted.append(Program("simulator", python(MANAGE, "stripe_simulator", "--port", port)))
    return wanted


def is_noise(line: str) -> bool:
    """Return whether a line of output is useful in production but not here."""
    return any(words in line for words in NOISE)
