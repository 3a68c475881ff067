"""Payment method configurations: which methods the account has switched on. Read only; one, the default, by policy."""

from __future__ import annotations

from stripe import params as sdk

from stripe_simulator.api.routing import route
from stripe_simulator.world.errors import missing
from stripe_simulator.world.rendering import as_list
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

ID = "pmc_default"
# Methods that are shown here whether on or off.
KNOWN = ("bacs_debit", "card", "klarna", "link", "multibanco", "sepa_debit", "us_bank_account")


@route("GET", "payment_method_configurations", sdk.PaymentMethodConfigurationListParams, known="limit starting_after")
def list_configurations(world: World, params: Document) -> Document:
    return as_list(world, [_default(world)], "/v1/payment_method_configurations")


@route("GET", "payment_method_configurations/{id}", sdk.PaymentMethodConfigurationRetrieveParams)
def retrieve(world: World, params: Document, id: str) -> Document:
    return check(world, id, "id")


def check(world: World, id: str, param: str) -> Document:
    """Return the configuration with this id. Raises StripeRefusal if there is none."""
    if id != ID:
        raise missing("payment_method_configuration", id, param)
    return _default(world)


def _default(world: World) -> Document:
    return {
        "id": ID,
        "object": "payment_method_configuration",
        "active": True,
        "application": None,
        "is_default": True,
        "livemode": False,
        "name": "Default",
        "parent": None,
        **{name: _setting(is_on=name in world.policy.methods) for name in KNOWN},
    }


def _setting(*, is_on: bool) -> Document:
    value = "on" if is_on else "off"
    return {"available": is_on, "display_preference": {"overridable": None, "preference": value, "value": value}}
