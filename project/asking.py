"""Questions that `make run` asks the programs it has started: is the website ready, is the simulator up, has it
delivered its events? Standard library only; no database.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import urllib.request
from urllib.parse import urlsplit


def ask_readyz() -> tuple[int, str]:
    """Return the status of /readyz and a text for people, requested under the site's own host; 0 if nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=3)
    site = urlsplit(os.environ.get("SITE_URL") or f"http://127.0.0.1:{os.environ['PORT']}")
    try:
        connection.request("GET", "/readyz", headers={"Host": site.netloc, "X-Forwarded-Proto": site.scheme})
        response = connection.getresponse()
        return response.status, f"/readyz answers {response.status} {response.read(1000).decode(errors='replace')}"
    except (OSError, http.client.HTTPException) as error:
        return 0, f"nothing answers on port {connection.port} ({error})"
    finally:
        connection.close()


def answers(address: str) -> bool:
    """Return whether a server listens on the port of this address, on this machine."""
    try:
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=1):
            return True
    except OSError:
        return False


def count_undelivered(simulator: str) -> int:
    """Return how many events the simulator at this address still has to deliver; 0 if it does not answer."""
    try:
        with urllib.request.urlopen(f"{simulator}/_simulator/clock", timeout=3) as answer:  # noqa: S310 our own address
            return int(json.load(answer)["pending"])
    except (OSError, ValueError, KeyError):
        return 0
