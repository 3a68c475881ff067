"""HTTP requests and answers as plain values. The details of WSGI are in application.py."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    """A request. `headers` have lower-case names; `query` and `body` are as sent."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def arguments(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass
class Response:
    """An answer. `stall`: seconds to wait between the first and the second half of the body."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)
    stall: float = 0.0


class Dropped(Exception):
    """Raised to close the connection without an answer."""


def as_json(status: int, document: Any, headers: list[tuple[str, str]] | None = None) -> Response:
    body = json.dumps(document, indent=2, ensure_ascii=False).encode()
    return Response(status, body, [("Content-Type", "application/json"), *(headers or [])])


def as_page(html: str, status: int = 200) -> Response:
    return Response(status, html.encode(), [("Content-Type", "text/html; charset=utf-8")])


def redirect(url: str) -> Response:
    return Response(303, b"", [("Location", url), ("Content-Type", "text/plain")])
