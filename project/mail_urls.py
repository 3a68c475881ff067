"""What EMAIL_URL says about how mail leaves: an SMTP server, or a provider that django-anymail knows.

`smtp+tls://user:password@host:587` or `anymail://postmark`. Behind a provider's name, after `?`, stands what its
backend takes besides the keys in the environment (`sender_domain=news.example.org`), and `extra.<Name>=<value>` is
sent with every letter (`extra.MessageStream=broadcast`). Called by the settings; wrong values are named by the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import environ

FILES = "members.mail.files.EmailBackend"
EXTRA = "extra."
# Django's names for what an SMTP address holds, and those its backend takes.
SMTP = {
    "EMAIL_BACKEND": "backend", "EMAIL_HOST": "host", "EMAIL_PORT": "port", "EMAIL_HOST_USER": "username",
    "EMAIL_HOST_PASSWORD": "password", "EMAIL_USE_TLS": "use_tls", "EMAIL_USE_SSL": "use_ssl",
}  # fmt: skip


def django_settings(url: str) -> dict[str, Any]:
    """Django's own settings for mail: files without an address."""
    if not url:
        return {"EMAIL_BACKEND": FILES}
    if _is_provider(url):
        return {"EMAIL_BACKEND": _backend(url)}
    return dict(environ.Env.email_url_config(url))


def route(url: str, *, is_default: bool) -> dict[str, Any]:
    """How the letters of a stream leave: `connection` for Django's get_connection, `extra` for the provider.

    The default route over SMTP is Django's own settings.
    """
    if _is_provider(url):
        query = dict(parse_qsl(urlsplit(url).query))
        extra = {name.removeprefix(EXTRA): value for name, value in query.items() if name.startswith(EXTRA)}
        options = {name: value for name, value in query.items() if not name.startswith(EXTRA)}
        return {"connection": {"backend": _backend(url), **options}, "extra": extra}
    told = {} if is_default else environ.Env.email_url_config(url)
    return {"connection": {SMTP[name]: value for name, value in told.items() if name in SMTP}, "extra": {}}


def anymail_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """Every ANYMAIL_... of the environment, named as anymail's documentation names it.

    What a provider cannot do (tags, say) is left out of a letter rather than keeping it here.
    """
    told = {name.removeprefix("ANYMAIL_"): value for name, value in environment.items() if name.startswith("ANYMAIL_")}
    return {"IGNORE_UNSUPPORTED_FEATURES": True, **told}


def _is_provider(url: str) -> bool:
    return urlsplit(url).scheme == "anymail"


def _backend(url: str) -> str:
    return f"anymail.backends.{urlsplit(url).netloc.lower()}.EmailBackend"
