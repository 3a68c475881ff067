"""Settings that `make run` chooses, how other commands get them, and commands that need servers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from stdnum import iban

from project.decisions import Decisions, follow
from project.embedded import CannotStart
from project.surroundings import needs_servers


def decided(folder: Path, **environment: str) -> tuple[Decisions, dict[str, str]]:
    decisions = Decisions(folder)
    decisions.claim()
    decisions.decide(environment)
    return decisions, environment


def test_keys_of_the_simulator_are_made_once(tmp_path: Path) -> None:
    first, environment = decided(tmp_path)
    assert environment["DEBUG"] == "1"
    assert environment["PORT"] == "8000"
    assert environment["STRIPE_SECRET_KEY"].startswith("sk_test_simulator_")
    assert environment["STRIPE_WEBHOOK_SECRETS"].startswith("whsec_")
    assert environment["STRIPE_API_BASE"].startswith("http://127.0.0.1:")
    first.lock.release()
    _, again = decided(tmp_path)
    assert again == environment


def test_a_key_of_yours_is_neither_replaced_nor_written_down(tmp_path: Path) -> None:
    decisions, environment = decided(tmp_path, STRIPE_SECRET_KEY="rk_live_yours", DEBUG="0")
    assert environment["STRIPE_SECRET_KEY"] == "rk_live_yours"
    assert environment["DEBUG"] == "0"
    assert "STRIPE_API_BASE" not in environment
    assert "rk_live_yours" not in decisions.path.read_text()


def test_an_account_to_look_at_stands_beside_the_simulator_alone(tmp_path: Path) -> None:
    _, simulated = decided(tmp_path / "one")
    assert iban.is_valid(simulated["BANK_IBAN"])
    _, own_account = decided(tmp_path / "two", BANK_IBAN="LT121000011101001000")
    assert own_account["BANK_IBAN"] == "LT121000011101001000"
    assert "BANK_BIC" not in own_account
    _, own_stripe = decided(tmp_path / "three", STRIPE_SECRET_KEY="rk_test_yours")
    assert "BANK_IBAN" not in own_stripe


def test_a_second_run_on_the_same_data_is_refused(tmp_path: Path) -> None:
    decided(tmp_path, PORT="8123")
    with pytest.raises(CannotStart, match=rf"Already running at http://127.0.0.1:8123 \(process {os.getpid()}\)"):
        Decisions(tmp_path).claim()


def test_commands_beside_a_run_decide_alike(tmp_path: Path) -> None:
    _, environment = decided(tmp_path)
    command: dict[str, str] = {"PORT": "9000"}
    follow(tmp_path, command)
    assert command == {**environment, "PORT": "9000"}


def test_a_command_with_a_database_of_its_own_is_left_alone(tmp_path: Path) -> None:
    decided(tmp_path)
    own = {"DATABASE_URL": "postgres://db.example.org/hromada"}
    follow(tmp_path, own)
    assert list(own) == ["DATABASE_URL"]


def test_a_command_that_was_not_told_of_the_runs_database_is_refused(tmp_path: Path) -> None:
    decided(tmp_path, DATABASE_URL="postgres://db.example.org/hromada")
    with pytest.raises(CannotStart, match="`make run` was given DATABASE_URL"):
        follow(tmp_path, {})


def test_demo_data_is_loaded_once_a_database(tmp_path: Path) -> None:
    decisions, _ = decided(tmp_path)
    ours = "postgresql://hromada:pw@127.0.0.1:4000/hromada"
    assert not decisions.has_demo(ours)
    decisions.remember_demo(ours, "logins")
    assert Decisions(tmp_path).has_demo(ours.replace(":4000", ":5000"))
    assert not Decisions(tmp_path).has_demo(ours.replace(":pw@", ":new@"))


@pytest.mark.parametrize("words", ["help", "run", "check --deploy", "collectstatic --no-input", "migrate --help", ""])
def test_commands_without_a_database_start_nothing(words: str) -> None:
    assert not needs_servers(["manage.py", *words.split()])


@pytest.mark.parametrize("words", ["migrate", "shell", "drain --once", "check --database default", "something_new"])
def test_other_commands_start_what_they_need(words: str) -> None:
    assert needs_servers(["manage.py", *words.split()])
