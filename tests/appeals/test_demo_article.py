"""The demo article, which ends with the appeal."""

from __future__ import annotations

import pytest
from django.test import Client

from appeals.demo import make_demo_campaign
from appeals.models import AppealAmounts

URL = "/demo/article/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _debug(settings) -> None:
    settings.DEBUG = True


@pytest.mark.parametrize(("language", "button"), [("en", "Become a patron"), ("uk", "Долучитися")])
def test_the_article_ends_with_the_ask(client: Client, language: str, button: str) -> None:
    make_demo_campaign()
    html = client.get(URL, {"lang": language}).content.decode()
    article, _, appeal = html.partition("</article>")
    assert "<h1>" in article
    assert button in appeal
    assert 'name="campaign" value="autumn"' in appeal
    assert 'name="article" value="demo-who-would-watch-a-ceasefire"' in appeal
    assert 'action="/support/details/"' in appeal
    assert f'<html lang="{language}">' in html


def test_without_a_campaign_the_plain_link_is_left(client: Client) -> None:
    html = client.get(URL).content.decode()
    assert 'href="/support/?article=demo-who-would-watch-a-ceasefire&amp;lang=en"' in html
    assert "<form" not in html


def test_without_amounts_the_words_and_a_link_are_left(client: Client) -> None:
    make_demo_campaign()
    AppealAmounts.objects.all().delete()
    html = client.get(URL).content.decode()
    assert "You could close this page" in html
    assert "campaign=autumn&amp;appeal=article-end" in html
    assert "<form" not in html


def test_outside_development_it_does_not_exist(client: Client, settings) -> None:
    settings.DEBUG = False
    assert client.get(URL).status_code == 404
