"""A proof of work counts once, for its form and sum, for ten minutes; nothing else that is sent counts at all."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from payments.guard import proof
from payments.guard.door import State
from payments.models import SpentProof
from tests.payments.guard.scene import solved

HERE = proof.Bound("form-of-olena-00", "month", 1000, "EUR")


def asked(bound: proof.Bound = HERE, state: State = State.GUARDED) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(proof.challenge(bound, state))
    return made


@pytest.mark.django_db
def test_a_proof_counts_once() -> None:
    text = solved(asked())
    assert proof.use(text, HERE, "olena")
    assert proof.use(text, HERE, "olena"), "A double click is the same checkout."
    assert not proof.use(text, HERE, "maria")
    SpentProof.objects.update(spent_at=timezone.now() - timedelta(seconds=21))
    assert not proof.use(text, HERE, "olena")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [
        replace(HERE, form_key="form-of-maria-00"),
        replace(HERE, amount=1001),
        replace(HERE, currency="UAH"),
        replace(HERE, frequency="once"),
    ],
)
def test_it_is_for_one_form_and_sum(other: proof.Bound) -> None:
    assert not proof.use(solved(asked()), other, "olena")
    assert not SpentProof.objects.exists()


@pytest.mark.django_db
def test_it_expires_within_ten_minutes() -> None:
    made = asked()
    assert 0 < made["parameters"]["expiresAt"] - time.time() <= 600
    text = solved(made)
    with time_machine.travel(timezone.now() + timedelta(seconds=601), tick=False):
        assert not proof.use(text, HERE, "olena")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["cost", "expiresAt", "keyPrefix", "nonce", "data", "algorithm"])
def test_a_changed_challenge_is_none(name: str) -> None:
    made = asked()
    easier = {
        "cost": 1,
        "expiresAt": made["parameters"]["expiresAt"] + 600,
        "keyPrefix": "",
        "nonce": "00" * 16,
        "data": {"form": replace(HERE, amount=1).name},
        "algorithm": "SHA-256",
    }
    made["parameters"][name] = easier[name]
    bound = replace(HERE, amount=1) if name == "data" else HERE
    assert not proof.use(solved(made), bound, "olena")


@pytest.mark.django_db
def test_a_challenge_of_another_key_is_none(settings) -> None:
    text = solved(asked())
    settings.SECRET_KEY = "another-" * 8
    assert not proof.use(text, HERE, "olena")


def wrong() -> list[str]:
    made = asked()
    unsolved = {"challenge": made, "solution": {"counter": 1, "derivedKey": "00" * 32}}
    shapes: list[Any] = [unsolved, [], {}, {"challenge": [], "solution": "x"}, {"challenge": made}, None, 7]
    shapes += [{"challenge": {"parameters": "x"}, "solution": {}}]
    shapes += [{**unsolved, "solution": {"counter": "x" * 50, "derivedKey": None}}]
    return ["", "x", "\0", "é", "A" * 5000, *(base64.b64encode(json.dumps(one).encode()).decode() for one in shapes)]


@pytest.mark.django_db
def test_whatever_is_sent_is_no_error() -> None:
    assert [text for text in wrong() if proof.use(text, HERE, "olena")] == []
    assert not SpentProof.objects.exists()


def test_of_twenty_at_the_same_time_one_passes(committed: None) -> None:
    text = solved(asked())

    def use(number: int) -> bool:
        try:
            return proof.use(text, HERE, f"reader {number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(use, range(20))).count(True) == 1


@pytest.mark.django_db
def test_it_costs_more_when_the_door_is_closed() -> None:
    assert asked(state=State.CLOSED)["parameters"]["cost"] > asked()["parameters"]["cost"]


@pytest.mark.django_db
def test_what_was_used_is_kept_for_an_hour() -> None:
    proof.use(solved(asked()), HERE, "olena")
    proof.trim()
    assert SpentProof.objects.count() == 1
    SpentProof.objects.update(spent_at=timezone.now() - timedelta(minutes=61))
    proof.trim()
    assert SpentProof.objects.count() == 0
