"""What may stand in a log line: an address, but never the token in it, with which others could act for a supporter."""

from __future__ import annotations

import logging
import re

from members.links import signed

_TOKEN = re.compile(rf"(/(?:{'|'.join(signed.PATHS)})/)[^/\s?\"']+")


class WithoutTokens(logging.Filter):
    """Shortens the addresses of pages behind a token, in the words of a line and in what is put into them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _shortened(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_shortened(value) for value in record.args)
        return True


def _shortened(value: object) -> object:
    return _TOKEN.sub(r"\1…", value) if isinstance(value, str) else value
