"""Parsing EMAIL_URL: files, a server or a provider; a wrong value fails a system check."""

from __future__ import annotations

from typing import Any

import pytest

from project import mail_urls
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
