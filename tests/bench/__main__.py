"""Starts servers of its own, measures, prints, stops them. Data folder: .data/bench. `ARGS=shield`: that part alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from project import embedded

GRANIAN = [
    "-m",
    "granian",
    "--interface=wsgi",
    "--host=127.0.0.1",
    "--workers=1",
    "--blocking-threads=8",
    "--no-ws",
    "--log-level=error",
]
OURS, BARE = 18101, 18102
DATA = embedded.BASE_DIR / ".data" / "bench"
ENVIRONMENT = {
    "ALLOWED_HOSTS": "127.0.0.1",
    "CONTACT_EMAIL": "bench@example.org",
    "DATA_DIR": str(DATA),
    "DEBUG": "",
    "DJANGO_SETTINGS_MODULE": "project.settings",
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "LOG_LEVEL": "ERROR",
    "SECRET_KEY": "bench-" * 10,
    "SITE_URL": "http://127.0.0.1",
    "STRIPE_API_BASE": "http://127.0.0.1:9",
    "STRIPE_SECRET_KEY": "sk_test_bench",
    "STRIPE_WEBHOOK_SECRETS": "whsec_bench",
}


def main() -> None:
    DATA.mkdir(parents=True, exist_ok=True)
    os.environ.update(ENVIRONMENT)
    with embedded.running(DATA):
        for command in (["migrate", "--verbosity=0"], ["collectstatic", "--noinput", "--verbosity=0"]):
            subprocess.run([sys.executable, "manage.py", *command], check=True)
        with web("project.wsgi:application", OURS), web("tests.bench.bare:application", BARE):
            # A process of its own: Django's settings are read from the environment made above.
            measures = [sys.executable, "-m", "tests.bench.measures", str(OURS), str(BARE)]
            subprocess.run([*measures, *sys.argv[1:]], check=True)


@contextmanager
def web(application: str, port: int) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, *GRANIAN, f"--port={port}", application])
    try:
        _wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nothing answers on port {port}")


if __name__ == "__main__":
    main()
