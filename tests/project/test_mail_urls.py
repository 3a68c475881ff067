"""Parsing EMAIL_URL: files, a server or a provider; a wrong value fails a system check."""

from __future__ import annotations

import traceback
from functools import partial
from typing import Any

import pytest
import redis
from django.core.exceptions import ImproperlyConfigured

from project import addresses, mail_urls
from project.checks import mail_can_be_sent

SERVER = "smtp+tls://user:p%40ss@mail.example.org:587"


def test_without_an_address_letters_are_files() -> None:
    assert mail_urls.django_settings("") == {"EMAIL_BACKEND": "members.mail.files.EmailBackend"}
    assert mail_urls.route("", is_default=True) == {"connection": {}, "extra": {}}


def test_a_server() -> None:
    found = mail_urls.django_settings(SERVER)
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_HOST_PASSWORD"]) == ("mail.example.org", 587, "p@ss")
    second = mail_urls.route(SERVER, is_default=False)["connection"]
    assert (second["host"], second["port"], second["use_tls"]) == ("mail.example.org", 587, True)
    assert mail_urls.route(SERVER, is_default=True)["connection"] == {}, "the default is Django's own"


def test_a_provider_with_what_its_backend_takes_and_what_goes_along() -> None:
    url = "anymail://Mailgun?sender_domain=news.example.org&extra.MessageStream=broadcast"
    backend = "anymail.backends.mailgun.EmailBackend"
    assert mail_urls.django_settings(url) == {"EMAIL_BACKEND": backend}
    assert mail_urls.route(url, is_default=False) == {
        "connection": {"backend": backend, "sender_domain": "news.example.org"},
        "extra": {"MessageStream": "broadcast"},
    }


def test_keys_are_named_as_anymail_names_them() -> None:
    found = mail_urls.anymail_settings({"ANYMAIL_POSTMARK_SERVER_TOKEN": "x", "OTHER": "y"})
    assert found == {"IGNORE_UNSUPPORTED_FEATURES": True, "POSTMARK_SERVER_TOKEN": "x"}


@pytest.mark.parametrize("url", ["anymail://nobody", "anymail://postmark"])
def test_what_is_no_way_out_is_said(settings: Any, url: str) -> None:
    settings.RELATIONSHIP_MAIL = mail_urls.route(url, is_default=False)
    [found] = mail_can_be_sent(None)
    assert (found.id, "EMAIL_URL_RELATIONSHIP" in found.msg) == ("hromada.E003", True)


def test_what_is_one_is_not(settings: Any) -> None:
    settings.SERVICE_MAIL = mail_urls.route("anymail://postmark?server_token=x", is_default=True)
    assert mail_can_be_sent(None) == []


PASSWORDS = ["a/b", "a#b", "a+b", "a%b", "a@b", "a:b", "a?b", "a b", "100%", "%zz", "ключ", "/#+%@:?&=", "p%ff"]


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_may_hold_any_character(password: str) -> None:
    for url in (f"smtp+tls://me@example.org:{password}@mail.example.org:587", f"smtp://u:{password}@mail.example.org"):
        found = mail_urls.django_settings(url)
        assert (found["EMAIL_HOST"], found["EMAIL_HOST_PASSWORD"]) == ("mail.example.org", password)
    assert mail_urls.route(url, is_default=False)["connection"]["password"] == password
    assert mail_urls.django_settings("smtp+tls://me@example.org:x@h:1")["EMAIL_HOST_USER"] == "me@example.org"


@pytest.mark.parametrize("password", PASSWORDS)
def test_so_may_those_of_database_and_redis(password: str) -> None:
    database = addresses.database(f"postgres://me:{password}@db:5432/hromada?sslmode=require")
    assert (database["PASSWORD"], database["HOST"], database["PORT"]) == (password, "db", 5432)
    assert (database["NAME"], database["OPTIONS"]) == ("hromada", {"sslmode": "require"})
    redis_url = addresses.quoted(f"redis://:{password}@cache:6379/1")
    assert redis.connection.parse_url(redis_url) | {"db": 1} == redis.connection.parse_url(redis_url)
    assert redis.connection.parse_url(redis_url)["password"] == password


def test_an_encoded_password_stays_what_it_was() -> None:
    assert mail_urls.django_settings("smtp://u:p%40ss%2F%25@h")["EMAIL_HOST_PASSWORD"] == "p@ss/%"
    assert addresses.quoted("postgres:///hromada?host=/run/pg") == "postgres:///hromada?host=/run/pg"


@pytest.mark.parametrize(
    "url",
    ["smtp://user:hunter2@host:port", "hunter2@host", "user:hunter2@host:587", "hunter2", "https://u:hunter2@host"],
)
def test_what_cannot_be_read_is_refused_without_repeating_it(url: str) -> None:
    for read in (mail_urls.django_settings, partial(mail_urls.route, is_default=False)):
        with pytest.raises(ImproperlyConfigured) as problem:
            read(url)
        said = "".join(traceback.format_exception(problem.value))
        assert "EMAIL_URL" in said
        assert "hunter2" not in str(problem.value)
        assert problem.value.__suppress_context__ or problem.value.__context__ is None
