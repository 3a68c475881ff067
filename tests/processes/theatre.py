"""The whole house as real processes on one data folder: servers, web, drain, worker, beat, Stripe's stand-in.

A test says what dies and when, comes back as a reader over HTTP (reader.py), and looks at the books through the same
command an operator uses. `until` is the only way of waiting.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
import requests
from celery import Celery

from project.embedded.files import free_port
from project.management.commands.run import programs
from project.supervisor import Program
from tests.processes import at_work_in, eventually
from tests.processes.commands import Commands
from tests.processes.machines import Programs, Server

KEY, SECRET = "sk_test_simulator_theatre", "whsec_theatre"
CHAOS = {"duplicate": 0.3, "shuffle": 0.3, "delay": [0.0, 0.3]}
WORKERS = ("worker", "bulk")
EVERYBODY = ("simulator", "web", "drain", *WORKERS, "beat")
WAITING = ("pending", "parked", "failed")


class Theatre:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres, self.valkey = Server("postgres", folder), Server("valkey", folder)
        self.programs = Programs(folder / "logs")
        self.commands = Commands()
        self.site, self.stripe = (f"http://127.0.0.1:{free_port()}" for _ in range(2))

    def open(self) -> None:
        self.postgres.start()
        self.valkey.start()
        self.environment = self._environment()
        self.manage("migrate", "--no-input", "--verbosity=0")
        for name in EVERYBODY:
            self.start(name)
        self.until("the house is ready", self.is_ready, 120)

    def close(self) -> None:
        try:
            self.programs.kill_all()
            self.commands.close()
            for server in (self.valkey, self.postgres):
                server.stop()
        finally:
            for process in at_work_in(self.folder):
                process.kill()
            eventually(lambda: at_work_in(self.folder) == [])
            shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if "STRIPE" not in name and name != "EMAIL_URL"}
        return kept | {
            "DEBUG": "1",
            "SECRET_KEY": "for-tests-only-" + "0123456789" * 5,
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "PORT": self.site.rpartition(":")[2],
            "SITE_URL": self.site,
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_API_BASE": self.stripe,
            "STRIPE_WEBHOOK_SECRETS": SECRET,
            "STRIPE_READS_PER_SECOND": "1000",
            "CHECKOUT_LIMIT_PER_NETWORK": "100000",
            "CHECKOUT_LIMIT_IN_ALL": "100000",
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "PYTHONUNBUFFERED": "1",
        }

    # Programs, exactly as `make run` starts them

    def start(self, name: str, under: str = "", **changes: str) -> None:
        """`under` gives a second one a name of its own; `changes` are variables of the environment."""
        environment = self.environment | changes
        with patch.dict(os.environ, environment, clear=True):
            argv = next(program.argv for program in programs(self.folder, is_simulated=True) if program.name == name)
        self.programs.start(Program(under or name, argv), environment)

    def kill(self, *names: str) -> None:
        for name in names:
            self.programs.kill(name)

    def _keep_workers(self) -> None:
        """As `make run` and compose do. Celery's worker may end when Redis goes away in the middle of a task: kombu
        then restores what was in flight over a connection that is gone (5.7.0, `'NoneType' ... 'hostname'`)."""
        for name in WORKERS:
            if self.programs.has_ended(name):
                self.start(name)

    def restart(self, name: str, **changes: str) -> None:
        self.kill(name)
        self.start(name, **changes)
        if name == "web":
            self.until("the website is back", self.is_ready)

    def manage(self, *words: str) -> str:
        code, output = self.commands.run(words, self.environment)
        assert code == 0, output
        return output

    # Over HTTP

    def is_ready(self) -> bool:
        return self.status("/readyz") == 200 and self._answers(f"{self.stripe}/_simulator/clock")

    def status(self, path: str, seconds: float = 10) -> int:
        """0 when nobody answers."""
        try:
            return requests.get(self.site + path, timeout=seconds).status_code
        except requests.RequestException:
            return 0

    def _answers(self, url: str) -> bool:
        try:
            return requests.get(url, timeout=5).ok
        except requests.RequestException:
            return False

    def control(self, name: str, **arguments: Any) -> dict[str, Any]:
        """One of the simulator's controls."""
        answer = requests.post(f"{self.stripe}/_simulator/{name}", json=arguments, timeout=60)
        assert answer.ok, answer.text
        return dict(answer.json())

    def ask(self, name: str) -> dict[str, Any]:
        return dict(requests.get(f"{self.stripe}/_simulator/{name}", timeout=60).json())

    def events_at_stripe(self) -> set[str]:
        """Every event Stripe ever made, from its list."""
        found: list[str] = []
        has_more = True
        while has_more:
            query = {"limit": "100"} | ({"starting_after": found[-1]} if found else {})
            page = requests.get(f"{self.stripe}/v1/events", params=query, auth=(KEY, ""), timeout=30).json()
            found += [event["id"] for event in page["data"]]
            has_more = page["has_more"]
        return set(found)

    # Rows and books

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres.url, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def events(self) -> Counter[str]:
        """Stripe's events by state, our own reads left out."""
        return Counter(dict(self.sql("SELECT state, count(*) FROM payments_stripeevent WHERE NOT is_sync GROUP BY 1")))

    def events_stored(self) -> set[str]:
        return {row[0] for row in self.sql("SELECT id FROM payments_stripeevent WHERE NOT is_sync")}

    def messages(self, kind: str = "") -> Counter[str]:
        """Owed letters by state."""
        rows = self.sql("SELECT state, count(*) FROM members_message WHERE kind LIKE %s GROUP BY 1", kind or "%")
        return Counter(dict(rows))

    def waiting_events(self) -> int:
        return int(self.sql("SELECT count(*) FROM payments_stripeevent WHERE state = ANY(%s)", list(WAITING))[0][0])

    def books(self) -> dict[str, Any]:
        """What `check_ledger --json` says; fails when a sentence does not hold."""
        report = json.loads(self.manage("check_ledger", "--json"))
        assert report["broken"] == []
        return dict(report)

    def letters(self) -> list[Path]:
        return sorted((self.folder / "mail").glob("*.eml"))

    # Time

    def until(self, sentence: str, what: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Look again and again; the value when it is true at last. Says where everything stands when it never is."""
        deadline = time.monotonic() + seconds
        while not (value := what()):
            assert time.monotonic() < deadline, f"In {seconds:.0f} s it did not happen that {sentence}.\n{self.tell()}"
            self._keep_workers()
            time.sleep(0.05)
        return value

    def calm(self, seconds: float = 120.0) -> None:
        """Until Stripe has delivered all, every event is worked and every letter is sent."""
        self.until("nothing waits anywhere", self._nothing_waits, seconds)

    def _nothing_waits(self) -> bool:
        is_delivered = self.ask("clock")["pending"] == 0
        return is_delivered and not self.waiting_events() and not {"pending", "sending"} & self.messages().keys()

    def leases_run_out(self) -> None:
        """Of a drain that was killed: as if its minute had passed."""
        self.sql("UPDATE payments_stripeevent SET lease_until = now() WHERE lease_until IS NOT NULL")

    def leases_of_senders_run_out(self, silent_for: int = 0) -> None:
        """Of senders that were killed, or have been silent for so many seconds: as if their two minutes had passed."""
        silent = "state = 'sending' AND lease_until <= now() + interval '2 minutes' - %s * interval '1 second'"
        self.sql(f"UPDATE members_message SET lease_until = now() WHERE {silent}", silent_for)  # noqa: S608

    def sweep(self) -> None:
        """What beat asks of the workers every 20 seconds."""
        with Celery(broker=self.valkey.url, set_as_current=False) as sender:
            sender.send_task("members.tasks.send_due_messages")
            sender.send_task("members.tasks.send_due_relationship_messages", queue="bulk")

    def the_next_try_comes(self) -> None:
        """As if the wait between two tries were over."""
        self.sql("UPDATE payments_stripeevent SET next_try_at = now() WHERE state = ANY(%s)", list(WAITING))
        self.sql("UPDATE members_message SET next_try_at = now() WHERE state = 'pending'")

    def tell(self) -> str:
        try:
            rows = f"events {dict(self.events())}, messages {dict(self.messages())}"
        except psycopg.Error as problem:
            rows = f"no database ({type(problem).__name__})"
        return f"{rows}\n{self.programs.last_words()}"

    # Between two tests

    def set_again(self) -> None:
        """Everything that should run runs, nothing is broken on purpose, and all is calm."""
        for server in (self.postgres, self.valkey):
            if not server.is_up:
                server.start()
        self.control("clear_faults")
        self.control("release")
        self.control("chaos", **CHAOS)
        for name in EVERYBODY:
            if not self.programs.is_running(name):
                self.start(name)
        self.until("the house is ready", self.is_ready)
        self.the_next_try_comes()
        self.calm()
