"""A threaded WSGI server built on the standard library, for tests (in a thread) and for the management command.

It gives the application one ability that WSGI does not have: closing the connection without an answer.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from functools import partial
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from stripe_simulator.server.application import Application
from stripe_simulator.simulator import Simulator

Around = Callable[[Application], Callable[..., Any]]


# How often the server looks whether it is to stop: every test stops one, and waits for it.
LOOK_SECONDS = 0.01


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        # HTTPServer would look up its own host name, which takes seconds without a name server.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that disconnected, or that was disconnected on purpose."""


class _Handler(WSGIRequestHandler):
    def get_environ(self) -> dict[str, Any]:
        return {**super().get_environ(), "simulator.hang_up": self._hang_up}

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def get_stderr(self) -> Any:
        return _Quiet()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: requests are in the simulator's own log."""


class _Quiet:
    """Discards everything: wsgiref prints a traceback for every connection that was closed on purpose."""

    def write(self, text: str) -> None: ...

    def flush(self) -> None: ...


class Running:
    """A simulator that is being served at `url`, until `stop`. Also a context manager."""

    def __init__(self, simulator: Simulator, server: _Server) -> None:
        self.simulator = simulator
        self._server = server
        host, port = server.server_address[:2]
        self.url = f"http://{host!s}:{port}"
        serve_forever = partial(server.serve_forever, LOOK_SECONDS)
        self._thread = threading.Thread(target=serve_forever, name="stripe-simulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
        self.simulator.close()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def serve(
    simulator: Simulator, host: str = "127.0.0.1", port: int = 0, around: Around = lambda application: application
) -> Running:
    """Serve a simulator in a thread; return it running. Port 0 takes a free port.

    A simulator without a base URL gets this server's. `around` may wrap the application, for a test with a wrong clock.
    """
    server = _Server((host, port), _Handler)
    server.set_app(around(Application(simulator)))
    running = Running(simulator, server)
    if not simulator.base_url:
        simulator.base_url = running.url
    return running
