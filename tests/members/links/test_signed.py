"""Signed tokens open only for the purpose and value they were signed for, and expire where they should."""

from __future__ import annotations

import re

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from members.links import signed


def test_reads_what_was_signed() -> None:
    token = signed.sign("stop", "0b3a9362-0465-43a2-af5d-88cd8d752509")
    assert signed.read("stop", token) == "0b3a9362-0465-43a2-af5d-88cd8d752509"
    assert signed.sign("stop", "0b3a9362-0465-43a2-af5d-88cd8d752509") == token
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", token)


def test_a_link_that_acts_runs_out_and_says_what_it_was_for() -> None:
    with time_machine.travel("2026-02-01 12:00Z"):
        token = signed.sign("method", "1")
    with time_machine.travel("2026-04-02 23:59Z"):
        assert (signed.read("method", token), signed.read_expired("method", token)) == ("1", None)
    with time_machine.travel("2026-04-03 00:01Z"):
        assert (signed.read("method", token), signed.read_expired("method", token)) == (None, "1")
        assert signed.read_expired("confirm", token) is None


def test_the_way_out_of_emails_never_runs_out() -> None:
    with time_machine.travel("2026-02-01 12:00Z"):
        token = signed.sign("unsubscribe", "1")
    with time_machine.travel("2036-02-01 12:00Z"):
        assert signed.read("unsubscribe", token) == "1"


def test_a_link_makes_none_that_lives_longer_than_itself() -> None:
    with time_machine.travel("2026-02-01 12:00Z"):
        last = signed.last_day("method", signed.sign("method", "1"))
    with time_machine.travel("2026-03-20 12:00Z"):
        assert signed.last_day("stop", signed.sign("stop", "1", last)) == last
        assert signed.last_day("card", signed.sign("card", "1", last)) == last
    with time_machine.travel("2026-02-01 12:00Z"):
        late = signed.last_day("stop", signed.sign("stop", "1"))
        assert signed.last_day("card", signed.sign("card", "1", late)) == last, "nor longer than its kind does"


def test_a_token_from_before_its_kind_expired_opens_nothing() -> None:
    old = signed._signer("return").sign("0b3a9362-0465-43a2-af5d-88cd8d752509")
    assert (signed.read("return", old), signed.read_expired("return", old)) == (None, None)


def test_another_purpose_reads_nothing() -> None:
    assert signed.read("return", signed.sign("stop", "1")) is None


def test_another_value_under_the_same_signature_is_nothing() -> None:
    assert signed.read("stop", signed.sign("stop", "1").replace("1", "2", 1)) is None


def test_an_older_secret_still_reads(settings: object) -> None:
    token = signed.sign("stop", "1")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]  # type: ignore[attr-defined]
    settings.SECRET_KEY = "another secret for tests"  # type: ignore[attr-defined]
    assert signed.read("stop", token) == "1"


TOKEN = signed.sign("stop", "0b3a9362-0465-43a2-af5d-88cd8d752509")


@pytest.mark.parametrize(
    "token",
    [
        TOKEN.lower(),
        TOKEN.upper(),
        *(
            f"{TOKEN}{after}"
            for after in (",", ">", ".", ")", '"', "'", "]", ";", "%3E", "%22", "&gt;", "/>", "/,", " ")
        ),
        f"<{TOKEN}>",
        f"{TOKEN[:20]}={TOKEN[20:]}",
        f"{TOKEN[:20]} {TOKEN[20:]}",
        f"{TOKEN[:20]}\u00ad{TOKEN[20:]}",
        TOKEN.replace("-", "%2D"),
        f"{TOKEN.lower()}%3E",
    ],
)
def test_what_mail_programs_do_to_a_token_is_undone(token: str) -> None:
    assert signed.read("stop", token) == "0b3a9362-0465-43a2-af5d-88cd8d752509"


@pytest.mark.parametrize(
    "token", [TOKEN[:-1], TOKEN[1:], f"{TOKEN}x", TOKEN.rpartition(".")[0], TOKEN.swapcase() + "a"]
)
def test_a_letter_less_or_more_is_not(token: str) -> None:
    assert signed.read("stop", token) is None


@given(st.text(alphabet=st.characters()))
def test_anything_else_is_nothing(token: str) -> None:
    assert signed.read("stop", token) is None


@pytest.mark.parametrize("value", ["", "a b", "a/b", "a.b", "ö"])
def test_signs_only_what_fits_an_address(value: str) -> None:
    with pytest.raises(ValueError, match="address"):
        signed.sign("stop", value)
