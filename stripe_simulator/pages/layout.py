"""The frame of every page, its stylesheet, and small pieces of HTML. Callers escape text in `body` and descriptions."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from stripe_simulator.server.wire import Response, as_page
from stripe_simulator.world.money import display
from stripe_simulator.world.store import Document

STYLESHEET = "/_simulator/style.css"
CSS = (Path(__file__).parent / "style.css").read_bytes()

FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - simulated Stripe</title>
<meta name="color-scheme" content="light dark">{refresh}
<link rel="stylesheet" href="{stylesheet}">
</head>
<body>
<p class="simulated" role="note"><strong>Simulated: no money moves.</strong> This page stands in for Stripe.</p>
<main class="wrap {width}" id="main">
{body}
</main>
</body>
</html>
"""


def page(title: str, body: str, status: int = 200, *, width: str = "", refresh: int | None = None) -> Response:
    again = f'\n<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    html = FRAME.format(title=escape(title), body=body, width=width, refresh=again, stylesheet=STYLESHEET)
    return as_page(html, status)


def stylesheet() -> Response:
    return Response(200, CSS, [("Content-Type", "text/css; charset=utf-8")])


def not_found() -> Response:
    return page("Not found", "<h1>There is no such page</h1><p>The address may be of another simulator.</p>", 404)


def problem(message: str) -> str:
    return f'<div class="problem" role="alert"><p>{escape(message)}</p></div>' if message else ""


def facts(rows: list[tuple[str, str]]) -> str:
    """Return terms and descriptions as HTML. Descriptions must be HTML already."""
    lines = "".join(f"<div><dt>{escape(term)}</dt><dd>{description}</dd></div>" for term, description in rows)
    return f'<dl class="facts">{lines}</dl>'


def link(url: str | None, text: str) -> str:
    """Return a link to an address given through the API; empty unless it is a web address."""
    if not url or urlsplit(url).scheme not in ("http", "https"):
        return ""
    return f'<p class="back"><a href="{escape(url)}">{escape(text)}</a></p>'


def often(price: Document) -> str:
    recurring = price["recurring"]
    if not recurring:
        return "once"
    count, interval = recurring["interval_count"], recurring["interval"]
    return f"a {interval}" if count == 1 else f"every {count} {interval}s"


def amount(value: int, currency: str) -> str:
    return escape(display(value, currency))
