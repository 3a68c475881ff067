"""The table of endpoints. A module of endpoints registers its functions here with `route`.

A function takes the world, the typed parameters and what stands in the path, and answers a document or a finished list.
Parameters that Stripe's SDK knows and the route does not name are refused, never ignored.
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
    """`known` names the parameters that are simulated, separated by spaces; None: all the SDK has."""
    pattern = re.compile("/v1/" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

    def register(function: Endpoint) -> Endpoint:
        names = None if known is None else frozenset(known.split())
        ROUTES.append(Route(method, pattern, function, params, names))
        return function

    return register


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    for candidate in ROUTES:
        match = candidate.pattern.fullmatch(path)
        if match and candidate.method == method:
            return candidate, match.groupdict()
    return None


def simple_get(path: str, kind: str, params: type | None = None) -> None:
    """`GET /v1/<path>/{id}`: the document, as it is."""

    def retrieve(world: World, params: dict[str, Any], id: str) -> Document:
        return world.get(kind, id)

    route("GET", path + "/{id}", params)(retrieve)
