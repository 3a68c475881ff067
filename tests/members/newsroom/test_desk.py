"""The newsroom's settings at the desk: one form, versions that say who changed what, and no lost entries."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from members.models import Newsroom
from members.newsroom import values as newsroom
from tests import factories

FORM, LIST = "/admin/members/newsroom/add/", "/admin/members/newsroom/"


@pytest.fixture
def desk(db: None) -> Client:
    client = Client()
    client.force_login(factories.staff())
    return client


def save(desk: Client, seen: int = 0, **values: Any) -> Any:
    return desk.post(FORM, {"seen": seen, "why": "", **values})


def test_a_saved_form_is_a_version_that_counts_at_once(desk: Client) -> None:
    answer = save(
        desk, LEGAL_NAME="Kurier e. V.", STAFF_ALERT_EMAILS="a@kurier.example\n\n b@kurier.example ", why="Moved"
    )
    assert answer.status_code == 302
    version = Newsroom.objects.get()
    assert (version.version, version.why, str(version.changed_by)) == (1, "Moved", "marta")
    assert newsroom.text("LEGAL_NAME") == "Kurier e. V."
    assert newsroom.lines("STAFF_ALERT_EMAILS") == ["a@kurier.example", "b@kurier.example"]


def test_the_form_shows_what_counts_and_what_an_empty_field_means(desk: Client, settings: Any) -> None:
    settings.LEGAL_ADDRESS = "Main Street 1"
    save(desk, LEGAL_NAME="Kurier e. V.", STAFF_GIFT_EMAILS="a@kurier.example\nb@kurier.example")
    page = desk.get(FORM).content.decode()
    assert 'value="Kurier e. V."' in page
    assert "a@kurier.example\nb@kurier.example</textarea>" in page
    assert "Empty: Main Street 1" in page


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("BANK_IBAN", "DE00123", "no valid account number"),
        ("BANK_BIC", "ABC", "no valid BIC"),
        ("OTHER_WAYS_LINKS", "PayPal http://paypal.example", "Write each link as"),
        ("STAFF_ALERT_EMAILS", "a@kurier.example\nnobody", "valid email address"),
        ("CONTACT_EMAIL", "nobody", "valid email address"),
        ("CONTACT_PROMISE_DAYS", "0", "greater than or equal to 1"),
        ("STATEMENT_NAME", "THE COURIER OF THE DNIPRO", "at most 22"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    desk: Client, name: str, typed: str, words: str
) -> None:
    page = save(desk, LEGAL_NAME="Kurier e. V.", **{name: typed}).content.decode()
    assert words in page
    assert typed.splitlines()[-1] in page
    assert 'value="Kurier e. V."' in page
    assert not Newsroom.objects.exists()


def test_who_saves_over_a_version_they_did_not_see_is_asked_to_look_again(desk: Client) -> None:
    save(desk, LEGAL_NAME="first")
    page = save(desk, seen=0, LEGAL_NAME="second").content.decode()
    assert "marta saved these settings meanwhile" in page
    assert 'value="second"' in page
    assert 'name="seen" value="1"' in page
    assert newsroom.text("LEGAL_NAME") == "first"
    assert save(desk, seen=1, LEGAL_NAME="second").status_code == 302


def test_a_form_that_changes_nothing_is_no_version(desk: Client) -> None:
    assert "Nothing is changed yet" in save(desk).content.decode()
    assert not Newsroom.objects.exists()


def test_the_history_says_who_changed_what(desk: Client) -> None:
    save(desk, LEGAL_NAME="first")
    save(desk, seen=1, LEGAL_ADDRESS="Main Street 1")
    assert "Legal name, Postal address" in desk.get(LIST).content.decode()
    newest = Newsroom.objects.latest("version")
    page = desk.get(f"{LIST}{newest.pk}/change/").content.decode()
    for words in ("first", "as in the environment", "Main Street 1", "marta"):
        assert words in page


def test_a_version_is_never_changed_or_deleted(desk: Client) -> None:
    save(desk, LEGAL_NAME="first")
    row = Newsroom.objects.get()
    assert desk.post(f"{LIST}{row.pk}/change/", {"why": "other"}).status_code == 403
    assert desk.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Newsroom.objects.get().why == ""


def test_who_may_only_look_sees_the_history_and_no_form(db: None) -> None:
    client = Client()
    client.force_login(factories.staff("ira", "members.view_newsroom"))
    assert client.get(LIST).status_code == 200
    assert client.get(FORM).status_code == 403
    client.force_login(factories.staff("oles", "members.view_level"))
    assert client.get(LIST).status_code == 403
