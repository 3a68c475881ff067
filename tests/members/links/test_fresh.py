"""An expired link shows a page with one button that emails a new link; the answer never reveals whether it did."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from members import limits
from members.links import fresh as fresh_links
from members.links import pages as link_pages
from members.links import signed
from members.mail.rendering import render
from members.models import Message, Supporter
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    limits.reset()
    yield
    limits.reset()


@pytest.fixture
def olena() -> Supporter:
    return factories.supporter(name="Olena Kovalenko", email="olena@example.org")


def old_token(value: str = "1", purpose: str = "method") -> str:
    with time_machine.travel("2020-01-01 12:00Z"):
        return signed.sign(purpose, value)


def respond(
    token: str, owner: Supporter | None, method: str = "post", network: str = "192.0.2.1", **fields: Any
) -> HttpResponse:
    how = {"REMOTE_ADDR": network}
    factory = RequestFactory()
    data = fields or {"fresh": "1"}
    request = factory.post("/", data, **how) if method == "post" else factory.generic(method.upper(), "/", **how)
    return link_pages.expired(request, "method", token, lambda _value: owner)


def test_looking_offers_a_fresh_one_and_changes_nothing(olena: Supporter) -> None:
    for method in ("get", "head"):
        answer = respond(old_token(), olena, method)
        assert (answer.status_code, answer["Referrer-Policy"]) == (410, "no-referrer")
    assert b'name="fresh"' in respond(old_token(), olena, "get").content
    assert not Message.objects.exists()


def test_the_button_mails_a_fresh_link_that_opens(olena: Supporter, settings: Any) -> None:
    settings.SITE_URL = "https://courier.example"
    answer = respond(old_token("abc"), olena)
    assert answer.status_code == 200
    message = Message.objects.get()
    assert (message.kind, message.to_email, message.is_urgent) == ("fresh_link", "olena@example.org", True)
    [token] = re.findall(r"https://courier\.example/method/([^/]+)/\?lang=en", render(message).text)
    assert signed.read("method", token) == "abc"
    assert "It works for 60 days." in " ".join(render(message).text.split())
    assert "olena" not in answer.content.decode().lower()


def test_another_form_s_button_mails_nothing(olena: Supporter) -> None:
    assert respond(old_token(), olena, reason="money").status_code == 410
    assert not Message.objects.exists()


def test_asked_twice_is_one_letter(olena: Supporter) -> None:
    for _number in range(2):
        respond(old_token(), olena)
    assert Message.objects.count() == 1


def test_the_answer_is_the_same_whoever_asks(olena: Supporter) -> None:
    known, unknown = respond(old_token(), olena), respond(old_token("2"), None)
    assert known.content == unknown.content


def test_a_person_is_mailed_three_an_hour(olena: Supporter) -> None:
    answers = [respond(old_token(str(number)), olena, network=f"192.0.2.{number}") for number in range(6)]
    assert Message.objects.count() == fresh_links.MOST_A_PERSON
    assert len({answer.content for answer in answers}) == 1


def test_a_network_may_ask_ten_times_an_hour() -> None:
    people = [factories.supporter() for _number in range(12)]
    answers = [respond(old_token(str(who.pk)), who, network="198.51.100.7") for who in people]
    assert Message.objects.count() == fresh_links.MOST_A_NETWORK
    assert len({answer.content for answer in answers}) == 1


def test_a_link_that_still_works_or_never_was_ours_offers_nothing(olena: Supporter) -> None:
    for token in (signed.sign("method", "1"), "x", old_token(purpose="stop")):
        with pytest.raises(Http404):
            respond(token, olena)
    assert not Message.objects.exists()
