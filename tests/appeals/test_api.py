"""The appeal API for other sites: public, cacheable, and with at least a plain link in every answer."""

from __future__ import annotations

import json
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from appeals.models import Campaign
from members import clock
from tests import factories

URL = "/api/v1/appeals/autumn/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def _autumn(settings) -> Campaign:
    settings.SITE_URL = "https://support.example.org"
    made = factories.campaign()
    factories.appeal(made, body="One. Two.", marked="Two.", amounts={"EUR": [5, 10], "UAH": [100, 200]})
    Campaign.objects.update(progress=312)
    return made


class Form(HTMLParser):
    """Parses a block: the fields of its form as a browser would send them unchanged, and all link addresses."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action, self.sent, self.links = "", {}, []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self.action = values["action"] or ""
        if tag == "a":
            self.links.append(values["href"] or "")
        if tag == "input" and (
            values["type"] == "hidden" if "type" in values and values["type"] != "radio" else "checked" in values
        ):
            self.sent[values["name"]] = values["value"]


@pytest.mark.usefixtures("_autumn")
class TestTheAnswer:
    def test_everything_another_site_needs(self, client: Client) -> None:
        body = client.get(URL, {"article": "front-page"}).json()
        query = "campaign=autumn&appeal=article-end&article=front-page&lang=en"
        html = body.pop("html")
        assert body == {
            "campaign": "autumn",
            "appeal": "article-end",
            "language": "en",
            "words": {
                "kicker": "",
                "headline": "Join us (en)",
                "paragraphs": ["One. Two."],
                "marked": "Two.",
                "button": "Become a patron",
                "other_ways": "Other ways",
            },
            "amounts": {
                "currency": "EUR",
                "frequency": "month",
                "choices": [
                    {"value": "5", "text": "€5", "is_chosen": False},
                    {"value": "10", "text": "€10", "is_chosen": True},
                ],
            },
            "progress": {
                "sentence": "312 of 500 new patrons this autumn",
                "shows_bar": True,
                "percent": 62,
                "updated_at": None,
            },
            "links": {
                "support": f"https://support.example.org/support/?{query}",
                "form": "https://support.example.org/support/details/",
                "other_ways": f"https://support.example.org/support/other-ways/?{query}",
            },
        }
        assert "<mark>Two.</mark>" in html

    def test_the_block_is_a_form_that_leads_here(self, client: Client) -> None:
        form = Form(client.get(URL, {"article": 'a"><b', "lang": "uk", "currency": "UAH"}).json()["html"])
        assert form.action == "https://support.example.org/support/details/"
        assert form.sent == {
            "frequency": "month",
            "currency": "UAH",
            "campaign": "autumn",
            "appeal": "article-end",
            "article": 'a"><b',
            "lang": "uk",
            "amount": "200",
        }
        ours = [link for link in form.links if not link.startswith("#")]
        assert all(link.startswith("https://support.example.org/support/") for link in ours)

    def test_the_block_has_no_script_no_style_and_no_image(self, client: Client) -> None:
        html = client.get(URL).json()["html"]
        for word in ("<script", "style=", "<style", "<img", " onclick", "javascript:"):
            assert word not in html

    def test_what_staff_write_stays_text(self, client: Client) -> None:
        made = factories.campaign("sly")
        factories.appeal(made, slug="sly", headline="<script>alert(1)</script>", body="<b>x</b>", goal_line="<i>{goal}")
        html = client.get("/api/v1/appeals/sly/").json()["html"]
        assert "<script" not in html
        assert "<b>" not in html

    def test_the_language_asked_for_or_the_browsers(self, client: Client) -> None:
        assert client.get(URL, {"lang": "uk"}).json()["words"]["headline"] == "Join us (uk)"
        answer = client.get(URL, headers={"Accept-Language": "uk-UA,uk;q=0.9"})
        assert answer.json()["language"] == answer["Content-Language"] == "uk"
        assert client.get(URL, {"lang": "xx"}).json()["language"] == "en"

    def test_it_takes_three_queries(self, client: Client, django_assert_num_queries) -> None:
        with django_assert_num_queries(3):
            client.get(URL)

    @pytest.mark.parametrize("query", ["article=%00%0A%E2%80%AE", "currency=%00", "lang=%00", "article=" + "x" * 5000])
    def test_bad_input_is_no_error(self, client: Client, query: str) -> None:
        answer = client.get(f"{URL}?{query}")
        assert answer.status_code == 200
        assert len(Form(answer.json()["html"]).sent.get("article", "")) <= 120
        assert "\x00" not in json.dumps(answer.json(), ensure_ascii=False)


@pytest.mark.usefixtures("_autumn")
class TestCaches:
    def test_any_origin_and_any_cache(self, client: Client) -> None:
        answer = client.get(URL, headers={"Origin": "https://news.example.org"})
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert answer["Cache-Control"].startswith("public, max-age=60, stale-while-revalidate=")
        assert answer["Vary"] == "Accept-Language"
        assert not answer.cookies

    def test_who_has_it_already_gets_304_until_it_changes(self, client: Client) -> None:
        etag = client.get(URL)["ETag"]
        again = client.get(URL, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        assert again["Access-Control-Allow-Origin"] == "*"
        assert again["ETag"] == etag
        assert "max-age=60" in again["Cache-Control"]
        Campaign.objects.update(progress=313)
        assert client.get(URL, headers={"If-None-Match": etag}).status_code == 200

    def test_each_language_has_a_tag_of_its_own(self, client: Client) -> None:
        assert client.get(URL)["ETag"] != client.get(URL, {"lang": "uk"})["ETag"]

    def test_head_answers_without_a_body(self, client: Client) -> None:
        answer = client.head(URL)
        assert (answer.status_code, answer.content) == (200, b"")
        assert "ETag" in answer


class TestWithoutThatCampaign:
    @pytest.mark.parametrize("name", ["nothing", "a.b", "%00", "осінь", "x" * 300, "..", "a%20b"])
    def test_a_name_that_never_was_is_404_with_the_plain_link(self, client: Client, name: str, settings) -> None:
        settings.SITE_URL = "https://support.example.org"
        answer = client.get(f"/api/v1/appeals/{name}/", {"article": "front-page"})
        assert answer.status_code == 404
        assert answer.json()["detail"] == "There is no campaign of this name."
        assert answer.json()["links"]["support"].startswith("https://support.example.org/support/?article=front-page")
        assert answer["Access-Control-Allow-Origin"] == "*"

    @pytest.mark.parametrize(
        "values",
        [{"is_active": False}, {"ends_on": date(2021, 1, 1)}, {"starts_on": clock.today() + timedelta(days=9)}],
    )
    def test_one_that_does_not_run_gives_way_to_the_one_that_asks(self, client: Client, values: Any) -> None:
        factories.campaign_with_appeal("autumn", **values)
        factories.campaign_with_appeal("winter")
        body = client.get(URL).json()
        assert (body["campaign"], body["words"]["headline"]) == ("winter", "Join us (en)")

    def test_when_nothing_asks_the_plain_link_is_left(self, client: Client) -> None:
        factories.campaign_with_appeal("autumn", is_active=False)
        body = client.get(URL).json()
        assert (body["campaign"], body["words"], body["amounts"], body["progress"]) == ("", None, None, None)
        assert body["links"]["support"] in body["html"].replace("&amp;", "&")
