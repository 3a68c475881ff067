"""Marks: keyed hashes that stand for a network, an address or a card, so that tries can be counted by them.

Whoever has only the database cannot find out what a mark stands for, nor try it out: the key is SECRET_KEY's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest

from members import limits


def of(kind: str, value: str) -> str:
    """Return the mark of a value of this kind; "" for ""."""
    if not value:
        return ""
    return hmac.new(settings.SECRET_KEY.encode(), f"mark\x1f{kind}\x1f{value}".encode(), hashlib.sha256).hexdigest()[
        :32
    ]


def of_networks(networks: Iterable[str]) -> list[str]:
    """Return the marks of a network and of those around it, each with its level: 0 is the narrowest."""
    return [f"{level}:{of('network', network)}" for level, network in enumerate(networks)]


def of_request(request: HttpRequest) -> list[str]:
    return of_networks(limits.networks_of(request))


def of_address(email: str) -> str:
    return of("address", email.lower())


def level(network: str) -> int:
    """Return how wide the network of a mark is: 0 is the narrowest."""
    return int(network.partition(":")[0])
