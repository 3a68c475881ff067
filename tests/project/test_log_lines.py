"""Log lines contain addresses without tokens."""

from __future__ import annotations

import io
import logging

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from members.errors import in_words
from members.links.signed import sign
from project.celery import app
from project.log_lines import Line, WithoutTokens
from tests import factories


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
        ("GET /support/?again=abc.d-e&lang=uk", (), "GET /support/?again=…&lang=uk"),
        ("%s %d", ("/support/details/", 422), "/support/details/ 422"),
        ("%(path)s", ({"path": "/support/"},), "/support/"),
    ],
)
def test_only_tokens_are_left_out(message: str, args: tuple, line: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, message, args, None)
    assert WithoutTokens().filter(record)
    assert record.getMessage() == line


@pytest.mark.django_db
def test_an_error_of_the_database_is_logged_without_the_values_of_the_row() -> None:
    problem = twice("olena@example.org")
    assert "olena@example.org" in str(problem), "what PostgreSQL says"
    line = Line("%(levelname)s %(message)s")
    told = logging.LogRecord("x", logging.ERROR, "", 0, "Task raised: %r", (problem,), (type(problem), problem, None))
    written = line.format(told)
    assert "supporter_email_once" in written
    assert "olena@example.org" not in written
    assert "IntegrityError" in written


@pytest.mark.django_db
def test_nor_is_it_kept_with_them() -> None:
    assert in_words(twice("olena@example.org")).endswith('violates unique constraint "supporter_email_once"')
    with pytest.raises(DataError) as raised, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT %s::int", ["olena@example.org"])
    assert in_words(raised.value) == "DataError: 22P02"
    assert in_words(ValueError("plain")) == "ValueError: plain"


def twice(email: str) -> IntegrityError:
    """Return the error of making two supporters with one address."""
    factories.supporter(email=email)
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        factories.supporter(email=email.upper())
    return raised.value


def test_a_workers_lines_are_written_the_same_way() -> None:
    """Celery would put a handler of its own in place of ours."""
    app.log.setup_logging_subsystem(loglevel=logging.WARNING)
    handlers = [handler for handler in logging.getLogger().handlers if handler.name == "console"]
    assert [type(handler.formatter) for handler in handlers] == [Line]
