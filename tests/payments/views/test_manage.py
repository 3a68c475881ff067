"""The page that emails the links to a supporter's recurring gifts: same answer for all, one email, rate-limited."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import randrange
from secrets import token_hex
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from members import limits
from members.links import fresh as fresh_links
from members.mail.rendering import render
from members.models import Message, Supporter
from tests import factories

pytestmark = pytest.mark.django_db

PAGE = "/support/manage/"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    limits.reset()
    yield
    limits.reset()


def an_address() -> str:
    """Return an email address that no test has used within the hour, always of the same length."""
    return f"olena.{token_hex(4)}@example.org"


@pytest.fixture
def olena() -> Supporter:
    return factories.supporter(name="Olena Kovalenko", email=an_address())


def somewhere() -> str:
    """Return a network that no test has used: Redis counts for an hour, which is longer than a test."""
    return f"10.{randrange(256)}.{randrange(256)}.{randrange(256)}"


def ask(email: str, network: str = "", **fields: str) -> Any:
    client = Client(enforce_csrf_checks=True)
    return client.post(PAGE, {"email": email, **fields}, REMOTE_ADDR=network or somewhere())


def body(answer: Any, email: str) -> str:
    return answer.content.decode().replace(email, "ADDRESS")


def test_one_letter_with_the_links_of_every_gift_that_goes_on(olena: Supporter) -> None:
    gifts = [factories.subscription(olena), factories.subscription(olena, frequency="year", amount=10000)]
    over = factories.subscription(olena, status="canceled")
    assert ask(f"{olena.email.upper()} ").status_code == 200
    message = Message.objects.get()
    assert (message.kind, message.to_email, message.is_urgent) == ("gift_links", olena.email, True)
    letter = render(message)
    for text in (letter.text, letter.html):
        paths = set(re.findall(r"http://[^/]+(/(?:stop|method)/[^/]+/)", text))
        assert len(paths) == 4
        for path in paths:
            assert b"data-state" in Client().get(path).content
    assert f"/stop/{over.public_id}" not in letter.text
    assert all(f"/stop/{gift.public_id}" in letter.text for gift in gifts)
    assert "Olena" not in letter.text, "the address may be typed by somebody else"


def test_known_and_unknown_take_the_same_queries_and_get_the_same_page(olena: Supporter) -> None:
    factories.subscription(olena)
    seen = []
    for email in (olena.email, an_address()):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(email)
        kinds = [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]]
        seen.append((answer.status_code, body(answer, email), kinds, sorted(answer.items())))
    assert seen[0] == seen[1]
    assert "INSERT" in seen[0][2]
    assert list(Message.objects.values_list("to_email", flat=True)) == [olena.email]


def test_who_has_no_recurring_gift_is_told_so_in_a_calm_letter(olena: Supporter) -> None:
    factories.subscription(olena, status="canceled")
    ask(olena.email)
    letter = render(Message.objects.get())
    assert "You have no recurring gift with us." in letter.text
    assert "/stop/" not in letter.text


def test_asked_twice_is_one_letter_and_an_address_is_mailed_three_an_hour(olena: Supporter) -> None:
    assert {ask(olena.email).status_code for _number in range(6)} == {200}
    assert Message.objects.count() == 1
    unknown = an_address()
    for _number in range(3):
        ask(unknown)
    assert not limits.hit("gift_links", unknown, fresh_links.MOST_A_PERSON, fresh_links.HOUR)


def test_a_network_that_asks_very_often_is_told_to_wait() -> None:
    network = somewhere()
    answers = [ask(f"reader{number}@example.org", network) for number in range(fresh_links.MOST_A_NETWORK + 1)]
    assert [answer.status_code for answer in answers] == [200] * fresh_links.MOST_A_NETWORK + [429]
    assert answers[-1]["Retry-After"] == "3600"
    assert b'data-state="busy"' in answers[-1].content
    assert b"reader10@example.org" in answers[-1].content, "what was typed stays"


@pytest.mark.parametrize("email", ["", "olena", "olena@", "x" * 300, "a@b\r\nBcc: c@d.example"])
def test_what_is_no_address_is_said_beside_the_field(email: str) -> None:
    answer = ask(email)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not Message.objects.exists()


def test_no_cookie_and_the_address_in_no_title_and_no_markup() -> None:
    mean = '"<b>x</b>"@example.org'
    for answer in (ask(mean), ask(an_address(), lang="uk"), Client().get(PAGE)):
        assert not answer.cookies
        assert "<b>" not in answer.content.decode()
        title: Any = re.search(r"<title>.*</title>", answer.content.decode(), re.DOTALL)
        assert "@" not in title[0]
    assert Client().put(PAGE).status_code == 405


@pytest.mark.parametrize("page", ["/support/", "/support/questions/", "/stop/x/"])
def test_it_is_found_from_every_page_s_foot_and_where_a_link_is_missing(page: str) -> None:
    assert f'href="{PAGE}"' in Client().get(page).content.decode()
