"""Log lines without tokens: a logged address never contains the token with which others could act for a supporter."""

from __future__ import annotations

import logging
import re

from members.links import signed

_TOKEN = re.compile(rf"(/(?:{'|'.join(signed.PATHS)})/)[^/\s?\"']+")


class WithoutTokens(logging.Filter):
    """A logging filter that replaces tokens in addresses by an ellipsis, in the message and its arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _shortened(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_shortened(value) for value in record.args)
        return True


def _shortened(value: object) -> object:
    return _TOKEN.sub(r"\1…", value) if isinstance(value, str) else value
