"""The newsroom's settings: what staff set goes before the environment, and holds while the database is gone."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from members.editor import editor
from members.mail.rendering import render
from members.models import Newsroom
from members.newsroom import values as newsroom
from members.newsroom import versions
from members.newsroom.fields import FIELDS
from payments.giving import other_ways
from tests.members.mail.test_rendering import letter


def given(**values: Any) -> None:
    versions.save(Newsroom(version=versions.newest().version + 1, values=values))


def test_without_a_version_the_environment_holds(settings: Any) -> None:
    settings.LEGAL_NAME, settings.EDITOR_NAMES, settings.EDITOR_NAME = "The Courier NGO", {"uk": "Олена"}, "Olena"
    assert newsroom.text("LEGAL_NAME") == "The Courier NGO"
    assert (editor("uk")["editor_name"], editor("en")["editor_name"]) == ("Олена", "Olena")
    assert editor("pl")["editor_name"] == "Olena"


def test_every_setting_has_a_default_in_the_environment() -> None:
    for setting in FIELDS.values():
        assert isinstance(setting.default, str | int | list), setting.name


def test_what_staff_set_goes_before_the_environment_on_pages_and_in_letters(db: None, settings: Any) -> None:
    settings.LEGAL_NAME = settings.LEGAL_ADDRESS = "of the environment"
    given(LEGAL_NAME="Kurier e. V.", EDITOR_NAME="Ira", CONTACT_EMAIL="help@kurier.example")
    page = Client().get("/support/contact/").content.decode()
    assert "help@kurier.example" in page
    written = render(letter()).text
    assert "Kurier e. V., of the environment" in written


def test_the_newest_version_counts_and_what_it_leaves_out_is_the_environment_s_again(db: None, settings: Any) -> None:
    settings.BANK_IBAN = ""
    given(BANK_IBAN="DE89370400440532013000", OTHER_WAYS_LINKS=["PayPal|https://paypal.example"])
    transfer = other_ways.transfer()
    assert transfer is not None
    assert transfer.iban == "DE89370400440532013000"
    assert [way.label for way in other_ways.links()] == ["PayPal"]
    given(OTHER_WAYS_LINKS=[])
    assert other_ways.transfer() is None


def test_another_process_reads_a_new_version_after_a_while(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    newsroom.remember({})
    Newsroom.objects.create(version=1, values={"LEGAL_NAME": "new"})
    assert newsroom.text("LEGAL_NAME") != "new"
    monkeypatch.setattr(newsroom, "FRESH_SECONDS", 0)
    assert newsroom.text("LEGAL_NAME") == "new"


def test_without_the_database_the_last_known_values_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def gone(*_args: Any, **_kwargs: Any) -> None:
        tries.append(1)
        raise OperationalError

    newsroom.remember({"LEGAL_NAME": "known"})
    newsroom.forget()
    monkeypatch.setattr(Newsroom.objects, "values_list", gone)
    assert [newsroom.text("LEGAL_NAME") for _ in range(3)] == ["known"] * 3
    assert tries == [1], "an outage costs no page more than one try"


def test_pages_ask_once_in_a_while(db: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any) -> None:
    newsroom.forget()
    with django_assert_num_queries(1):
        for _ in range(20):
            newsroom.text("LEGAL_NAME")
