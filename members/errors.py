"""Exceptions of this app, named after what went wrong. Views and admin pages turn them into messages."""

from __future__ import annotations

from django.db import DatabaseError, DataError


def in_words(problem: BaseException) -> str:
    """Return the type and text of an error, for a row or a log line.

    Of an error of the database only the first line is kept: PostgreSQL writes values of the row into the others, which
    may be somebody's address. For values of a wrong type they are in the first line too, so it is left out.
    """
    name = type(problem).__name__
    if not isinstance(problem, DatabaseError):
        return f"{name}: {problem}"
    if isinstance(problem, DataError):
        return f"{name}: {getattr(problem.__cause__, 'sqlstate', None) or 'wrong value'}"
    return f"{name}: {str(problem).partition(chr(10))[0]}"


class AddressTaken(Exception):
    """Another supporter already has this address."""
