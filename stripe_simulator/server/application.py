"""The WSGI application of one simulator: Stripe's API, the hosted pages and the control routes.

It uses no Django, so that it runs, and fails, separately from the application that calls it.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from stripe_simulator.pages import checkout, control_page, invoice, layout, portal
from stripe_simulator.server import control
from stripe_simulator.server.wire import Dropped, Request, Response, as_json, redirect
from stripe_simulator.simulator import Simulator
from stripe_simulator.world.errors import not_simulated

log = logging.getLogger("stripe_simulator")

StartResponse = Callable[..., Any]
LARGEST_BODY = 1_000_000

SECURITY = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Robots-Tag", "noindex"),
]


class Application:
    """The application for any WSGI server."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request = read(environ)
        try:
            response = self.answer(request)
        except Dropped:
            return _hang_up(environ, start_response)
        except Exception:
            log.exception("the simulator itself failed at %s %s", request.method, request.path)
            response = as_json(500, {"error": {"message": "The simulator itself failed.", "type": "api_error"}})
        status = HTTPStatus(response.status)
        headers = [*response.headers, *SECURITY, ("Content-Length", str(len(response.body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return _stalled(response) if response.stall else [response.body]

    def answer(self, request: Request) -> Response:
        """Return the answer by path; 404 `not_simulated` for any other. Raises Dropped to close the connection."""
        simulator = self._simulator
        if request.path.startswith("/v1/"):
            return simulator.api.answer(request)
        if request.path == layout.STYLESHEET:
            return layout.stylesheet()
        if request.path.startswith("/checkout/"):
            return checkout.answer(simulator, request)
        if request.path.startswith("/portal/"):
            return portal.answer(simulator, request)
        if request.path.startswith(("/invoices/", "/receipts/")):
            return invoice.answer(simulator, request)
        if request.path == "/":
            return redirect("/_simulator/")
        if request.path == "/_simulator/":
            return control_page.answer(simulator, request)
        if request.path.startswith("/_simulator/"):
            return control.answer(simulator, request)
        return as_json(404, not_simulated(f"{request.method} {request.path}", status=404).body())


def read(environ: dict[str, Any]) -> Request:
    length = min(int(environ.get("CONTENT_LENGTH") or 0), LARGEST_BODY)
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    return Request(
        environ["REQUEST_METHOD"],
        environ.get("PATH_INFO", "/"),
        environ.get("QUERY_STRING", ""),
        environ["wsgi.input"].read(length) if length else b"",
        headers,
    )


def _stalled(response: Response) -> Iterator[bytes]:
    half = len(response.body) // 2
    yield response.body[:half]
    time.sleep(response.stall)
    yield response.body[half:]


def _hang_up(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Close the socket without an answer. Raises ConnectionAbortedError on a server without the hook for it."""
    close = environ.get("simulator.hang_up")
    if close is None:
        raise ConnectionAbortedError("the simulator drops this connection")
    close()
    start_response("500 Dropped", [], sys.exc_info())
    return []
