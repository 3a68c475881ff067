"""Parsing EMAIL_URL: an SMTP server, or a provider that django-anymail supports.

`smtp+tls://user:password@host:587` or `anymail://postmark`. A provider may have a query: options of its backend, such
as `sender_domain=news.example.org` (keys are in the environment), and `extra.<Name>=<value>` to send with every email,
such as `extra.MessageStream=broadcast`. Called by project/settings.py; project/checks.py reports wrong values. No error
here repeats the address: it holds a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from project import addresses

FILES = "members.mail.files.EmailBackend"
EXTRA = "extra."
EXAMPLE = "Write it like smtp+tls://user:password@host:587."
# Django's settings for an SMTP server, and the arguments of its backend.
SMTP = {
    "EMAIL_BACKEND": "backend",
    "EMAIL_HOST": "host",
    "EMAIL_PORT": "port",
    "EMAIL_HOST_USER": "username",
    "EMAIL_HOST_PASSWORD": "password",
    "EMAIL_USE_TLS": "use_tls",
    "EMAIL_USE_SSL": "use_ssl",
}


def django_settings(url: str) -> dict[str, Any]:
    """Return Django's EMAIL_... settings for this address. Without an address, emails are written as files."""
    if not url:
        return {"EMAIL_BACKEND": FILES}
    if _is_provider(url):
        return {"EMAIL_BACKEND": _backend(url)}
    return _smtp(url)


def route(url: str, *, is_default: bool) -> dict[str, Any]:
    """Return the route of a stream: `connection`, arguments for get_connection, and `extra`, sent to the provider.

    For the default route over SMTP both are empty, because Django's settings apply (see `django_settings`).
    """
    if _is_provider(url):
        query = dict(parse_qsl(urlsplit(url).query))
        extra = {name.removeprefix(EXTRA): value for name, value in query.items() if name.startswith(EXTRA)}
        options = {name: value for name, value in query.items() if not name.startswith(EXTRA)}
        return {"connection": {"backend": _backend(url), **options}, "extra": extra}
    parsed = {} if is_default else _smtp(url)
    return {"connection": {SMTP[name]: value for name, value in parsed.items() if name in SMTP}, "extra": {}}


def anymail_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return anymail's settings from all ANYMAIL_... variables, named as in anymail's documentation.

    Features that a provider does not support, such as tags, are left out instead of failing the email.
    """
    given = {name.removeprefix("ANYMAIL_"): value for name, value in environment.items() if name.startswith("ANYMAIL_")}
    return {"IGNORE_UNSUPPORTED_FEATURES": True, **given}


def _smtp(url: str) -> dict[str, Any]:
    """Return Django's settings for an SMTP server. Raises ImproperlyConfigured, in words without the address."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in environ.Env.EMAIL_SCHEMES:
        raise ImproperlyConfigured(f"EMAIL_URL does not begin with smtp://, smtp+tls:// or anymail://. {EXAMPLE}")
    try:
        return dict(environ.Env.email_url_config(addresses.quoted(url)))
    except ValueError:
        raise ImproperlyConfigured(f"EMAIL_URL cannot be read: its port is not a number. {EXAMPLE}") from None


def _is_provider(url: str) -> bool:
    return urlsplit(url).scheme == "anymail"


def _backend(url: str) -> str:
    return f"anymail.backends.{urlsplit(url).netloc.lower()}.EmailBackend"
