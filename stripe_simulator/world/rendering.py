"""Turn documents into what the API returns: private keys removed, `expand` applied, lists paginated.

`INCLUDABLE` names the lists that Stripe returns only if they are expanded. The depth limit of four is Stripe's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from stripe_simulator.world.errors import invalid, missing
from stripe_simulator.world.store import Document, Store

DEPTH = 4


class Documents(Protocol):
    """The parts of a world that rendering reads: the time, one document, all of a kind."""

    @property
    def store(self) -> Store: ...

    def now(self) -> int: ...

    def get(self, kind: str, id: str) -> Document: ...


def visible(document: Any) -> Any:
    """Return a deep copy without the simulator's private keys, which begin with an underscore."""
    if isinstance(document, dict):
        return {key: visible(value) for key, value in document.items() if not key.startswith("_")}
    if isinstance(document, list):
        return [visible(value) for value in document]
    return copy.copy(document)


# Fields that Stripe omits from an object without a value, but accepts in `expand`.
LEFT_OUT_WHEN_EMPTY = {("refund", "failure_balance_transaction")}


def render(world: Documents, document: Document, expand: Iterable[str] = ()) -> Document:
    """Return a document as the API returns it. Raises StripeRefusal for a path that cannot be expanded."""
    shown = visible(document)
    if shown.get("object") == "balance_transaction":
        shown["status"] = "available" if shown["available_on"] <= world.now() else "pending"
    for path in expand:
        parts = path.split(".")
        if len(parts) > DEPTH:
            raise invalid(f"You cannot expand more than {DEPTH} levels of a property ({path}).", "expand")
        _expand(world, shown, parts, path)
    return shown


def _expand(world: Documents, shown: Any, parts: list[str], path: str) -> None:
    if isinstance(shown, list):
        for each in shown:
            _expand(world, each, parts, path)
        return
    if not parts or shown is None:
        return
    head, rest = parts[0], parts[1:]
    if not isinstance(shown, dict):
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    _open(world, shown, head, path)
    _expand(world, shown.get(head), rest, path)


def _open(world: Documents, shown: Document, key: str, path: str) -> None:
    """Replace the id under this key with its object, or add the list that is returned only if expanded."""
    includable = INCLUDABLE.get((shown.get("object", ""), key))
    if includable is not None:
        if not isinstance(shown.get(key), dict):
            shown[key] = includable(world, shown["id"])
        return
    if key not in shown and (shown.get("object"), key) in LEFT_OUT_WHEN_EMPTY:
        return
    if key not in shown:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    value = shown[key]
    if isinstance(value, str):
        found = world.store.find(value)
        if found is None:
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
        shown[key] = render(world, found)


def as_list(world: Documents, documents: list[Document], url: str) -> Document:
    return {"object": "list", "data": [render(world, d) for d in documents], "has_more": False, "url": url}


def newest_first(documents: Iterable[Document]) -> list[Document]:
    return sorted(documents, key=lambda d: (d.get("created", 0), d.get("_seq", 0)), reverse=True)


def _line_items(world: Documents, id: str) -> Document:
    items = world.get("checkout.session", id)["_line_items"]
    return as_list(world, items, f"/v1/checkout/sessions/{id}/line_items")


def _payments(world: Documents, id: str) -> Document:
    return as_list(world, newest_first(world.store.where("invoice_payment", invoice=id)), "/v1/invoice_payments")


def _refunds(world: Documents, id: str) -> Document:
    return as_list(world, newest_first(world.store.where("refund", charge=id)), f"/v1/charges/{id}/refunds")


def _subscriptions(world: Documents, id: str) -> Document:
    found = [s for s in world.store.where("subscription", customer=id) if s["status"] != "canceled"]
    return as_list(world, newest_first(found), f"/v1/customers/{id}/subscriptions")


INCLUDABLE: dict[tuple[str, str], Callable[[Documents, str], Document]] = {
    ("checkout.session", "line_items"): _line_items,
    ("invoice", "payments"): _payments,
    ("charge", "refunds"): _refunds,
    ("customer", "subscriptions"): _subscriptions,
}


def page(world: Documents, documents: Iterable[Document], params: Document, url: str) -> Document:
    """Return one page of a list as Stripe does, newest first. Raises StripeRefusal for invalid parameters.

    The parameters are `created`, `limit` (10 unless given), `starting_after`, `ending_before` and `expand[]=data.x`.
    """
    found = [d for d in newest_first(documents) if fits(d.get("created", 0), params.get("created"))]
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("Invalid limit: must be between 1 and 100.", "limit", "parameter_invalid_integer")
    window, has_more = _window(found, params, limit)
    expand = []
    for path in params.get("expand", []):
        if not path.startswith("data."):
            raise invalid(f"This property cannot be expanded ({path}). On a list, begin with data.", "expand")
        if len(path.split(".")) > DEPTH:
            raise invalid(f"You cannot expand more than {DEPTH} levels of a property ({path}).", "expand")
        expand.append(path.removeprefix("data."))
    data = [render(world, document, expand) for document in window]
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def _window(found: list[Document], params: Document, limit: int) -> tuple[list[Document], bool]:
    """Return the documents of the page and whether more follow. Raises StripeRefusal for an unknown cursor."""
    ids = [document["id"] for document in found]
    for key in ("starting_after", "ending_before"):
        if params.get(key) and params[key] not in ids:
            raise missing("object", params[key], key)
    if params.get("ending_before"):
        before = found[: ids.index(params["ending_before"])]
        return before[-limit:], len(before) > limit
    after = found[ids.index(params["starting_after"]) + 1 :] if params.get("starting_after") else found
    return after[:limit], len(after) > limit


def fits(value: int, wanted: Any) -> bool:
    """Return whether a timestamp passes a filter: equals a number, is within bounds such as `gte`, or any for None."""
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return value == wanted
    tests: dict[str, Callable[[int], bool]] = {
        "gt": lambda bound: value > bound,
        "gte": lambda bound: value >= bound,
        "lt": lambda bound: value < bound,
        "lte": lambda bound: value <= bound,
    }
    return all(tests[name](bound) for name, bound in wanted.items())
