"""Payment intents, charges, refunds, disputes, balance transactions and payouts."""

from __future__ import annotations

from stripe import params as sdk

from stripe_simulator.api.metadata import merged
from stripe_simulator.api.routing import route, simple_get
from stripe_simulator.life import refunds
from stripe_simulator.world.errors import invalid, required
from stripe_simulator.world.rendering import page
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

simple_get("payment_intents", "payment_intent", sdk.PaymentIntentRetrieveParams)
simple_get("charges", "charge", sdk.ChargeRetrieveParams)
simple_get("refunds", "refund", sdk.RefundRetrieveParams)
simple_get("disputes", "dispute", sdk.DisputeRetrieveParams)
simple_get("balance_transactions", "balance_transaction", sdk.BalanceTransactionRetrieveParams)
simple_get("payouts", "payout", sdk.PayoutRetrieveParams)

PAGING = "created ending_before limit starting_after"


def _listing(path: str, kind: str, params: type, facts: str) -> None:
    """Register `GET /v1/<path>`: a list of this kind, filtered by these fields (separated by spaces)."""
    names = facts.split()

    def listing(world: World, params: Document) -> Document:
        wanted = {name: params[name] for name in names if name in params}
        return page(world, world.store.where(kind, **wanted), params, f"/v1/{path}")

    route("GET", path, params, known=f"{PAGING} {facts}")(listing)


_listing("payment_intents", "payment_intent", sdk.PaymentIntentListParams, "customer")
_listing("charges", "charge", sdk.ChargeListParams, "customer payment_intent")
_listing("refunds", "refund", sdk.RefundListParams, "charge payment_intent")
_listing("disputes", "dispute", sdk.DisputeListParams, "charge payment_intent")
_listing("payouts", "payout", sdk.PayoutListParams, "status")


@route(
    "GET",
    "balance_transactions",
    sdk.BalanceTransactionListParams,
    known=f"{PAGING} currency payout source type",
)
def list_balance_transactions(world: World, params: Document) -> Document:
    """List balance transactions. With `payout`, that includes the payout's own line, as at Stripe."""
    names = {"currency": "currency", "payout": "_payout", "source": "source", "type": "type"}
    facts = {field: params[name] for name, field in names.items() if name in params}
    if "payout" in params:
        world.get("payout", params["payout"], "payout")
    found = world.store.where("balance_transaction", **facts)
    return page(world, found, params, "/v1/balance_transactions")


@route("POST", "refunds", sdk.RefundCreateParams, known="amount charge metadata payment_intent reason")
def create_refund(world: World, params: Document) -> Document:
    charge = _charge(world, params)
    given = {"reason": params.get("reason"), "metadata": merged({}, params.get("metadata"))}
    return refunds.refund(world, charge, params.get("amount"), **given)


def _charge(world: World, params: Document) -> Document:
    if params.get("charge"):
        return world.get("charge", params["charge"], "charge")
    if not params.get("payment_intent"):
        raise required("charge")
    intent = world.get("payment_intent", params["payment_intent"], "payment_intent")
    charge = world.store.get("charge", intent["latest_charge"])
    if charge is None:
        raise invalid("This PaymentIntent does not have a successful charge to refund.", "payment_intent")
    return charge


@route("POST", "refunds/{id}/cancel", sdk.RefundCancelParams)
def cancel_refund(world: World, params: Document, id: str) -> Document:
    world.get("refund", id)
    raise invalid("Only refunds with the status requires_action can be canceled.", "id")
