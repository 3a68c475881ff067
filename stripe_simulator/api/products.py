"""Products that are made by themselves, for the price of a subscription that is changed."""

from __future__ import annotations

from stripe import params as sdk

from stripe_simulator.api.routing import route
from stripe_simulator.objects import checkout
from stripe_simulator.world.errors import required
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World


@route("POST", "products", sdk.ProductCreateParams, known="name")
def create(world: World, params: Document) -> Document:
    if not params.get("name"):
        raise required("name")
    return world.add(checkout.product(world, params["name"], None, {}) | {"active": True})
