"""Addresses of servers with a user and a password in them, made safe to parse. Used by settings.py and mail_urls.py."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote_to_bytes

import environ


def quoted(url: str) -> str:
    """Return an address whose user and password may hold any character, with both percent-encoded.

    The password ends at the last @ and begins at the first colon: / # ? + and @ need no encoding. Encoded ones are left
    as they are; a percent sign that encodes nothing means itself. An address without a user is returned unchanged.
    """
    scheme, separator, rest = url.partition("://")
    credentials, at, server = rest.rpartition("@")
    if not (separator and at):
        return url
    user, colon, password = credentials.partition(":")
    return f"{scheme}://{_quoted(user)}{colon}{_quoted(password)}@{server}"


def database(url: str) -> dict[str, Any]:
    """Return Django's settings for a database at this address."""
    return dict(environ.Env.db_url_config(quoted(url)))


def _quoted(text: str) -> str:
    try:
        plain = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        plain = text
    return quote(plain, safe="")
