"""The table of endpoints. The modules of endpoints register their functions here with `route`.

A function takes the world, the typed parameters and the values in the path, and returns a document or a finished list.
A parameter that Stripe's SDK knows and the route does not name is refused, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

Endpoint = Callable[..., Document]


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handle: Endpoint
    params: type | None
    known: frozenset[str] | None


ROUTES: list[Route] = []


def route(
    method: str, path: str, params: type | None = None, known: str | None = None
) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator that registers an endpoint.

    `known` names the parameters that are simulated, separated by spaces; None allows all that the SDK has.
    """
    pattern = re.compile("/v1/" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

    def register(function: Endpoint) -> Endpoint:
        names = None if known is None else frozenset(known.split())
        ROUTES.append(Route(method, pattern, function, params, names))
        return function

    return register


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the route of a request and the values in its path; None without a route."""
    for candidate in ROUTES:
        match = candidate.pattern.fullmatch(path)
        if match and candidate.method == method:
            return candidate, match.groupdict()
    return None


def simple_get(path: str, kind: str, params: type | None = None) -> None:
    """Register `GET /v1/<path>/{id}`, which returns the document of this kind."""

    def retrieve(world: World, params: dict[str, Any], id: str) -> Document:
        return world.get(kind, id)

    route("GET", path + "/{id}", params)(retrieve)
