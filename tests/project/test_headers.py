"""Headers and weight of pages: only our own resources, nothing inline, no needless cookie, correct caching."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import path

from members.links.signed import sign
from project.urls import handler400, handler500, urlpatterns
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
DETAILS = "/support/details/?frequency=month&amount=10&currency=EUR"
PUBLIC = [
    "/support/",
    "/support/give-safely/",
    "/support/questions/",
    "/support/privacy/",
    "/support/terms/",
    "/support/contact/",
    "/support/manage/",
]
PAGES = [*PUBLIC, DETAILS, "/support/other-ways/", "/support/details/", "/no/such/page/"]


def broken(request):
    raise OperationalError("gone")


def wrong(request):
    raise RuntimeError("wrong")


urlpatterns = [*urlpatterns, path("broken/", broken), path("wrong/", wrong)]
__all__ = ["handler400", "handler500", "urlpatterns"]


@pytest.mark.django_db
@pytest.mark.parametrize("address", PUBLIC)
def test_pages_without_anything_personal_may_be_kept_a_minute(address: str) -> None:
    answer = Client().get(address)
    assert sorted(answer["Cache-Control"].split(", ")) == ["max-age=60", "public"]
    assert not answer.cookies
    assert "Cookie" not in answer["Vary"]


@pytest.mark.django_db
@pytest.mark.parametrize("address", [DETAILS, "/support/details/", "/support/other-ways/", "/no/such/page/"])
def test_the_rest_is_kept_by_no_one_else(address: str) -> None:
    assert "private" in Client().get(address)["Cache-Control"]


@pytest.mark.django_db
def test_pages_behind_a_token_are_kept_by_nobody_and_tell_nobody() -> None:
    token = sign("return", str(factories.checkout().public_id))
    for address in (f"/support/return/{token}/", "/support/return/x/"):
        answer = Client().get(address)
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert not answer.cookies


@pytest.mark.django_db
def test_the_only_cookie_protects_the_details_form() -> None:
    for address in PAGES:
        assert list(Client().get(address).cookies) == (["csrftoken"] if address == DETAILS else [])
    cookie = Client().get(DETAILS).cookies["csrftoken"]
    assert (cookie["max-age"], cookie["expires"]) == ("", ""), "gone when the browser is closed"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_nothing_inline_and_nothing_from_elsewhere(address: str, settings) -> None:
    settings.CONTACT_EMAIL = "people@example.org"
    answer = Client().get(address)
    body = answer.content.decode()
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "https://checkout.stripe.com" in policy
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", body)
    assert all('src="/static/' in tag for tag in re.findall(r"<script[^>]*>", body))
    assert not re.search(r'(src|srcset|action|poster)="(https?:)?//', body)
    assert all('href="/static/' in tag for tag in re.findall(r"<link[^>]*>", body))


@pytest.mark.django_db
def test_the_browser_is_asked_for_nothing_more() -> None:
    answer = Client().get("/support/")
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "uk"])
def test_the_support_page_weighs_little(language: str) -> None:
    body = Client().get(f"/support/?lang={language}").content
    files = [(ROOT / "static" / name).read_bytes() for name in ("tokens.css", "site.css", "give.js", "icon.svg")]
    assert len(body) + sum(len(gzip.compress(each)) for each in files) <= 35 * 1024 // 2
    assert len((ROOT / "static" / "give.js").read_bytes()) <= 8 * 1024


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_pages_that_only_speak_refuse_to_listen(method: str) -> None:
    for address in ("/support/", "/support/other-ways/", "/support/questions/", "/support/return/x/"):
        assert getattr(Client(), method)(address).status_code == 405


@pytest.mark.django_db
def test_a_form_that_is_far_too_large_is_refused_in_words() -> None:
    answer = Client().post("/support/details/", {"email": "x" * 2_000_000})
    assert answer.status_code in (400, 413, 422)
    assert "<h1>" in answer.content.decode()


@pytest.mark.urls("tests.project.test_headers")
def test_a_database_that_is_away_is_said_to_come_back() -> None:
    answer = Client(raise_request_exception=False).get("/broken/?lang=uk")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "60"
    assert '<html lang="uk">' in answer.content.decode()


@pytest.mark.urls("tests.project.test_headers")
def test_a_fault_of_ours_is_called_ours() -> None:
    answer = Client(raise_request_exception=False).get("/wrong/")
    assert answer.status_code == 500
    assert "not your fault" in answer.content.decode()


def test_a_host_that_is_not_ours_is_refused_in_words() -> None:
    answer = Client().get("/support/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "evil.example" not in answer.content.decode()
    assert "<h1>" in answer.content.decode()
