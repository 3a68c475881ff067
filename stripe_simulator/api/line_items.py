"""The line items of a checkout session: a price and a product created from price_data, with Stripe's checks."""

from __future__ import annotations

from stripe_simulator.api.metadata import merged
from stripe_simulator.objects import checkout as objects
from stripe_simulator.server.forms import only
from stripe_simulator.world import money
from stripe_simulator.world.errors import invalid, not_simulated, required
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

PRICE = frozenset({"currency", "product", "product_data", "recurring", "unit_amount"})
PRODUCT = frozenset({"description", "images", "metadata", "name"})


def line_item(world: World, params: Document, given: Document, path: str) -> Document:
    """Return a line item; create its price and product. `path` names it in the StripeRefusal that this may raise."""
    if set(given) - {"price_data", "quantity"} or not given.get("price_data"):
        raise not_simulated("line items other than price_data with quantity", path)
    only(given["price_data"], PRICE, f"{path}[price_data]")
    data, quantity = given["price_data"], given.get("quantity", 1)
    if quantity < 1:
        raise invalid("Invalid positive integer", f"{path}[quantity]", "parameter_invalid_integer")
    recurring = data.get("recurring")
    if bool(recurring) != (params["mode"] == "subscription"):
        raise invalid(
            "You specified `payment` mode but passed a recurring price."
            if recurring
            else "You must provide at least one recurring price in `subscription` mode when using prices.",
            path,
        )
    if "unit_amount" not in data:
        raise required(f"{path}[price_data][unit_amount]")
    currency = data["currency"].lower()
    money.check_amount(data["unit_amount"], currency, f"{path}[price_data][unit_amount]")
    product = _product(world, data, path)
    price = world.add(objects.price(world, product["id"], currency, data["unit_amount"], recurring))
    return objects.line_item(world, price, product["name"], quantity)


def _product(world: World, data: Document, path: str) -> Document:
    if data.get("product"):
        return world.get("product", data["product"], f"{path}[price_data][product]")
    given = data.get("product_data")
    if not given:
        raise required(f"{path}[price_data][product]")
    only(given, PRODUCT, f"{path}[price_data][product_data]")
    if not given.get("name"):
        raise invalid("You passed an empty string for name.", f"{path}[price_data][product_data][name]")
    metadata = merged({}, given.get("metadata"))
    return world.add(objects.product(world, given["name"], given.get("description"), metadata))
