"""Settings that `make run` chooses if the environment does not set them: DEBUG, the port, keys for the simulator.

They are stored in DATA_DIR/servers/run.json, so that every `manage.py` command with the same DATA_DIR uses the same
ones, and so does the next run. Secrets from the environment are never stored, only those that were generated here.
Called by the command `run` and by project/surroundings.py.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from project.embedded.files import FileLock, free_port, make_private, read_json, write_json
from project.embedded.problems import CannotStart

DEFAULT_PORT = "8000"
ADDRESSES = ("DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY")
REMEMBERED = ("DEBUG", "PORT", "SITE_URL")
# Examples of other ways to give, used with the simulator only. The IBAN is one that banks print as an example.
EXAMPLES = {
    "BANK_IBAN": "DE75512108001245126199",
    "BANK_BIC": "SOGEDEFFXXX",
    "OTHER_WAYS_LINKS": "PayPal|https://example.org/paypal",
}
SIMULATED = ("STRIPE_SECRET_KEY", "STRIPE_API_BASE", "STRIPE_WEBHOOK_SECRETS", *EXAMPLES)


class Decisions:
    """The settings of one run on one data folder. The run holds the lock for as long as it lives."""

    def __init__(self, folder: Path) -> None:
        state_dir = make_private(make_private(folder) / "servers")
        self.path = state_dir / "run.json"
        self.demo_words = state_dir / "demo.txt"
        self.lock = FileLock(state_dir / "run.lock")
        self.known = read_json(self.path)
        self.is_simulated = False

    def claim(self) -> None:
        """Take the lock of this data folder for this run. Raises CannotStart if another run has it."""
        if not self.lock.take(wait=False):
            self.known = read_json(self.path)
            raise CannotStart(
                f"Already running at {self.known.get('address')} (process {self.known.get('pid')}): stop that one "
                "first, or set DATA_DIR and PORT to run a second one."
            )

    def decide(self, environment: MutableMapping[str, str]) -> None:
        """Set what is missing in `environment`, and store what was chosen, without secrets that were given."""
        given = [name for name in ADDRESSES if environment.get(name)]
        for name, value in {"DEBUG": "1", "PORT": DEFAULT_PORT}.items():
            environment[name] = environment.get(name) or value
        self.is_simulated = "STRIPE_SECRET_KEY" not in given
        if self.is_simulated:
            self._decide_on_simulator(environment)
        names = [*REMEMBERED, *(SIMULATED if self.is_simulated else [])]
        self._write(
            environment={name: environment[name] for name in names if environment.get(name)},
            given=given,
            address=environment.get("SITE_URL") or f"http://127.0.0.1:{environment['PORT']}",
            pid=os.getpid(),
        )

    def _decide_on_simulator(self, environment: MutableMapping[str, str]) -> None:
        """Set key, address and webhook secret of the simulator, the same as last time if possible."""
        before = self.known.get("environment", {})
        port = free_port(urlsplit(before.get("STRIPE_API_BASE", "")).port)
        environment["STRIPE_SECRET_KEY"] = before.get("STRIPE_SECRET_KEY") or f"sk_test_simulator_{_random()}"
        environment["STRIPE_API_BASE"] = f"http://127.0.0.1:{port}"
        if not environment.get("STRIPE_WEBHOOK_SECRETS"):
            environment["STRIPE_WEBHOOK_SECRETS"] = before.get("STRIPE_WEBHOOK_SECRETS") or f"whsec_{_random()}"
        if not environment.get("BANK_IBAN"):
            environment.update({name: environment.get(name) or value for name, value in EXAMPLES.items()})

    def has_demo(self, database_url: str) -> bool:
        """Return whether an earlier run has loaded demo data into this database."""
        return self.known.get("demo") == _fingerprint(database_url)

    def remember_demo(self, database_url: str, words: str) -> None:
        """Store that the demo data is loaded, and `words` (the logins), which later runs show again."""
        self.demo_words.write_text(words)
        self.demo_words.chmod(0o600)
        self._write(demo=_fingerprint(database_url))

    def _write(self, **changes: Any) -> None:
        self.known |= changes
        write_json(self.path, self.known)


def _random() -> str:
    return secrets.token_hex(16)


def _fingerprint(database_url: str) -> str:
    """Return a hash that identifies a database independently of its port, which may differ from run to run."""
    parts = urlsplit(database_url)
    named = f"{parts.username}:{parts.password}@{parts.hostname}{parts.path}"
    return hashlib.sha256(named.encode()).hexdigest()


def follow(folder: Path, environment: MutableMapping[str, str]) -> None:
    """Set in `environment` what the run on this data folder chose, for a command during or after it.

    Variables that are set already stay. A command with a DATABASE_URL of its own ignores a run on the embedded
    database. Raises CannotStart if the run was given a database, broker or Stripe key that this command was not given.
    """
    path = folder / "servers" / "run.json"
    known = read_json(path)
    if not known:
        return
    is_running = FileLock(path.with_name("run.lock")).is_held_elsewhere()
    given = known.get("given", [])
    if environment.get("DATABASE_URL") and not (is_running and "DATABASE_URL" in given):
        return
    missing = [name for name in given if not environment.get(name)]
    if is_running and missing:
        raise CannotStart(f"`make run` was given {' and '.join(missing)}: set it for this command too.")
    _adopt(known.get("environment", {}), environment)


def _adopt(decided: dict[str, str], environment: MutableMapping[str, str]) -> None:
    has_own_stripe = bool(environment.get("STRIPE_SECRET_KEY"))
    for name, value in decided.items():
        if not environment.get(name) and not (has_own_stripe and name in SIMULATED):
            environment[name] = value
