"""The account that the API key belongs to."""

from __future__ import annotations

from stripe_simulator.api.routing import route
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

ACCOUNT = "acct_simulator"


@route("GET", "account")
def retrieve(world: World, params: Document) -> Document:
    return {
        "id": ACCOUNT,
        "object": "account",
        "charges_enabled": True,
        "country": "DE",
        "default_currency": world.policy.settlement or "eur",
        "details_submitted": True,
        "payouts_enabled": True,
        "type": "standard",
    }
