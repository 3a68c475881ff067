"""Log lines without tokens and personal data.

A logged address never contains the token with which others could act for a supporter, and an error of the database is
logged without the values of the row.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from members.links import signed

# What PostgreSQL adds to an error, with values of the row: whole lines, also inside a quoted text.
_DETAIL = re.compile(r"(?:\n|\\n)*(?:DETAIL|CONTEXT):[^\n]*")


class Line(logging.Formatter):
    """A formatter that drops what PostgreSQL adds to an error, such as `Key (email)=(...) already exists`."""

    def __init__(self, fmt: str = "%(asctime)s %(levelname)s %(name)s %(message)s") -> None:
        super().__init__(fmt)

    def format(self, record: logging.LogRecord) -> str:
        return _DETAIL.sub("", super().format(record))


class WithoutTokens(logging.Filter):
    """A logging filter that replaces tokens in addresses by an ellipsis, in the message and its arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _shortened(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_shortened(value) for value in record.args)
        return True


def configuration(level: str) -> dict[str, Any]:
    """Return how Python's logging is set up: INFO for our lines, WARNING for libraries, unless `level` is given."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "project.log_lines.Line"}},
        "filters": {"without tokens": {"()": "project.log_lines.WithoutTokens"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without tokens"]}},
        "root": {"handlers": ["console"], "level": level or "WARNING"},
        "loggers": {
            "hromada": {"level": level or "INFO"},
            "axes": {"level": "ERROR"},
            # Whatever LOG_LEVEL says: these write what is sent to Stripe and comes back, addresses and names in it.
            "stripe": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},  # a refused request is the sender's fault
            "django.security.DisallowedHost": {
                "level": "CRITICAL"
            },  # so is a wrong Host: it gets 400, without a traceback
        },
    }


def _shortened(value: object) -> object:
    return signed.IN_ADDRESS.sub(r"\1…", value) if isinstance(value, str) else value
