"""The language of pages: from `lang`, else the browser's, else the site's; carried by links, never remembered."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from members.links.signed import sign
from tests import factories
from tests.stage import hidden_fields

pytestmark = pytest.mark.django_db

PAGES = [
    "/support/",
    "/support/details/?frequency=month&amount=10&currency=EUR",
    "/support/details/?frequency=x",
    "/support/other-ways/",
    "/support/give-safely/",
    "/support/questions/",
    "/support/privacy/",
    "/support/terms/",
    "/support/contact/",
    "/support/manage/",
    "/support/return/x/",
    "/no/such/page/",
]


def with_language(path: str, language: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}lang={language}"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_in_the_language_asked_for_and_carries_it_on(path: str) -> None:
    answer = Client().get(with_language(path, "uk"), headers={"Accept-Language": "en"})
    body = answer.content.decode()
    assert answer["Content-Language"] == "uk"
    assert '<html lang="uk">' in body
    ours = [link for link in re.findall(r'href="(/support/[^"#]*)', body) if "lang=" not in link]
    assert not ours
    for form in re.findall(r"<form.*?</form>", body, re.DOTALL):
        assert '<input type="hidden" name="lang" value="uk">' in form


@pytest.mark.parametrize("path", PAGES)
def test_answers_vary_by_the_browsers_language(path: str) -> None:
    answer = Client().get(path, headers={"Accept-Language": "uk-UA,uk;q=0.9,en;q=0.5"})
    assert answer["Content-Language"] == "uk"
    assert "Accept-Language" in answer["Vary"]


@pytest.mark.parametrize("path", PAGES)
def test_ukrainian_has_another_name_on_every_page(path: str) -> None:
    answer = Client().get(with_language(path, "ua"), headers={"Accept-Language": "en"})
    assert answer["Content-Language"] == "uk"
    assert set(re.findall(r"[?&;]lang=([^\"&#]*)", answer.content.decode())) <= {"uk", "en"}


@pytest.mark.parametrize("asked", ["UA", "uk-UA", "uk_UA", "UK", "uk-Cyrl-UA", "uk,", "uk>", "uk."])
def test_ukrainian_has_several_names(asked: str) -> None:
    assert Client().get("/support/", {"lang": asked}, headers={"Accept-Language": "en"})["Content-Language"] == "uk"


def test_english_has_several_names_too() -> None:
    assert Client().get("/support/?lang=en-GB", headers={"Accept-Language": "uk"})["Content-Language"] == "en"


@pytest.mark.parametrize("asked", ["xx", "", "en-", "../..", "%00", "u" * 500])
def test_an_unknown_language_is_as_none(asked: str) -> None:
    answer = Client().get(f"/support/?lang={asked}", headers={"Accept-Language": "uk"})
    assert answer["Content-Language"] == "uk"
    assert 'name="lang"' not in answer.content.decode()


def test_without_any_wish_the_sites_own(settings) -> None:
    settings.LANGUAGE_CODE = "uk"
    assert Client().get("/support/")["Content-Language"] == "uk"


def test_the_other_language_keeps_the_choice() -> None:
    body = Client().get("/support/?frequency=year&currency=PLN").content.decode()
    assert 'href="/support/?frequency=year&amp;currency=PLN&amp;lang=uk" lang="uk" hreflang="uk"' in body


def test_a_page_that_came_by_post_keeps_language_and_choice() -> None:
    fields = {"frequency": "month", "amount": "10", "currency": "EUR", "lang": "uk", "email": "olena@"}
    answer = Client().post("/support/details/", fields, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert answer["Content-Language"] == "uk"
    body = answer.content.decode()
    assert hidden_fields(body)["lang"] == "uk"
    assert "?frequency=month&amp;amount=10&amp;currency=EUR&amp;lang=en" in body
    assert "olena" not in "".join(re.findall(r'href="([^"]*)"', body))


def test_the_root_leads_to_the_support_page_with_the_language() -> None:
    assert Client().get("/?lang=uk")["Location"] == "/support/?lang=uk"


def test_the_way_back_from_stripe_speaks_it_too() -> None:
    checkout = factories.checkout()
    body = Client().get(f"/support/return/{sign('return', str(checkout.public_id))}/?lang=uk").content.decode()
    assert '<html lang="uk">' in body
    assert "?try=1&amp;lang=uk" in body


def test_sums_and_days_are_written_as_the_language_does() -> None:
    body = Client().get("/support/?lang=uk&currency=UAH").content.decode()
    assert "100\u00a0₴" in body
