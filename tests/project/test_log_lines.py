"""Log lines contain addresses without tokens."""

from __future__ import annotations

import io
import logging

import pytest

from members.links.signed import sign
from project.log_lines import WithoutTokens


@pytest.mark.django_db
def test_a_page_behind_a_token_is_logged_without_it(client, caplog) -> None:
    caplog.set_level(logging.WARNING, "django.request")  # an operator may raise this level
    console = next(handler for handler in logging.getLogger().handlers if handler.name == "console")
    before = console.setStream(io.StringIO())
    token = sign("return", "00000000-0000-0000-0000-000000000000")
    try:
        assert client.get(f"/support/return/{token}/").status_code == 404
    finally:
        written = console.setStream(before).getvalue()
    assert "/support/return/…/" in written
    assert token not in written


@pytest.mark.parametrize(
    ("message", "args", "line"),
    [
        ("Not Found: %s", ("/stop/abc.def/",), "Not Found: /stop/…/"),
        ("GET /me/sign-in/abc?x=1 done", (), "GET /me/sign-in/…?x=1 done"),
        ("%s %d", ("/support/details/", 422), "/support/details/ 422"),
        ("%(path)s", ({"path": "/support/"},), "/support/"),
    ],
)
def test_only_tokens_are_left_out(message: str, args: tuple, line: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, message, args, None)
    assert WithoutTokens().filter(record)
    assert record.getMessage() == line
