"""The management command refuses to run where it must not, and otherwise is connected to this site."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command

from payments.management.commands import stripe_simulator
from stripe_simulator import KEY_PREFIX, serve

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


@pytest.fixture
def right(settings) -> None:
    settings.DEBUG = True
    settings.STRIPE_SECRET_KEY = KEY_PREFIX + "_here"
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", "whsec_old"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DEBUG", False, "DEBUG"),
        ("STRIPE_SECRET_KEY", "sk_live_real", "not the simulator's"),
        ("STRIPE_SECRET_KEY", "", "not the simulator's"),
        ("STRIPE_WEBHOOK_SECRETS", [], "nothing to sign with"),
    ],
)
@pytest.mark.usefixtures("right")
def test_it_refuses(settings, name: str, value: object, words: str) -> None:
    setattr(settings, name, value)
    with pytest.raises(CommandError, match=words):
        call_command("stripe_simulator")


@pytest.mark.usefixtures("right")
def test_it_is_wired_to_this_site(settings, tmp_path: Path) -> None:
    settings.SITE_URL = "http://site.example"
    simulator = stripe_simulator.simulator_for({"store": None, "webhook_url": None})
    with serve(simulator):
        [endpoint] = simulator.world.store.all("webhook_endpoint")
        assert endpoint["url"] == "http://site.example/webhooks/stripe/"
        assert simulator.webhook_secret == "whsec_new"
        assert (tmp_path / "stripe_simulator.sqlite3").exists()


def test_it_serves_until_told_to_stop(tmp_path: Path) -> None:
    """Run it as a process, as `make run` does. It needs no database."""
    environment = {
        **os.environ,
        "DEBUG": "1",
        "STRIPE_SECRET_KEY": KEY_PREFIX + "_here",
        "STRIPE_WEBHOOK_SECRETS": "whsec_new",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, str(MANAGE), "stripe_simulator", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        url = line.split()[4]
        assert requests.get(url, timeout=5).status_code == 200
        process.terminate()
        assert process.wait(10) == 0
