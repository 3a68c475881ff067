"""Check that an object has only the keys and types that the SDK annotates. The simulator must pass it."""

from __future__ import annotations

import types
from decimal import Decimal
from typing import Any, ClassVar, ForwardRef, Literal, Union, get_args, get_origin

import stripe
from stripe._object_classes import get_object_class
from stripe._stripe_object import StripeObject

Problems = list[str]


def problems(document: dict[str, Any]) -> Problems:
    """Return every path at which a document does not match the SDK's class for its `object`."""
    found: Problems = []
    _object(document, _class_of(document), str(document.get("object")), found)
    return found


def _class_of(document: dict[str, Any]) -> type | None:
    if document.get("deleted"):
        return None
    return get_object_class("V1", document["object"])


def _object(document: dict[str, Any], cls: type | None, path: str, found: Problems) -> None:
    if cls is None:
        return
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, StripeObject) and base is not StripeObject:
            hints |= getattr(base, "__annotations__", {})
    for key in _required(hints) - set(document):
        found.append(f"{path}.{key}: missing, {cls.__qualname__} always has it")
    for key, value in document.items():
        if key not in hints:
            found.append(f"{path}.{key}: not annotated on {cls.__qualname__}")
        else:
            _value(value, hints[key], f"{path}.{key}", found)


def _required(hints: dict[str, Any]) -> set[str]:
    """Return the keys that the SDK does not mark as optional, without `id`: invoice.upcoming has none."""
    optional = {name for name, hint in hints.items() if type(None) in get_args(hint) or get_origin(hint) is ClassVar}
    return set(hints) - optional - {"id"}


def _value(value: Any, hint: Any, path: str, found: Problems) -> None:
    members = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    attempts = []
    for member in members:
        problems: Problems = []
        _member(value, member, path, problems)
        if not problems:
            return
        attempts.append(problems)
    found.extend(max(attempts, key=lambda each: max(len(problem.partition(":")[0]) for problem in each)))


def _member(value: Any, hint: Any, path: str, found: Problems) -> None:
    origin = get_origin(hint)
    if hint is Any:
        return
    if isinstance(hint, ForwardRef):
        _named(value, hint.__forward_arg__, path, found)
    elif origin is Literal:
        _expect(value in get_args(hint), value, f"one of {get_args(hint)[:6]}", path, found)
    elif origin is list:
        if _expect(isinstance(value, list), value, "a list", path, found):
            for index, each in enumerate(value):
                _value(each, get_args(hint)[0], f"{path}[{index}]", found)
    elif origin is not None and getattr(origin, "__name__", "") == "ListObject":
        _list_object(value, get_args(hint)[0], path, found)
    elif origin is not None:
        _expect(isinstance(value, dict), value, "an object", path, found)
    elif isinstance(hint, type) and issubclass(hint, StripeObject):
        if _expect(isinstance(value, dict), value, hint.__qualname__, path, found):
            _object(value, hint, path, found)
    else:
        _plain(value, hint, path, found)


def _named(value: Any, name: str, path: str, found: Problems) -> None:
    """Check a value against a resource of the SDK, given by the name of its class."""
    if name == "str":
        _expect(isinstance(value, str), value, "str", path, found)
    elif _expect(isinstance(value, dict), value, name, path, found):
        cls = _class_of(value) if value.get("object") else None
        _expect(cls is None or cls.__name__ == name.rpartition(".")[2], value.get("object"), name, path, found)
        _object(value, cls, path, found)


def _list_object(value: Any, item: Any, path: str, found: Problems) -> None:
    if _expect(isinstance(value, dict) and value.get("object") == "list", value, "a list object", path, found):
        _expect(set(value) == {"object", "data", "has_more", "url"}, set(value), "a list's keys", path, found)
        for index, each in enumerate(value["data"]):
            _value(each, item, f"{path}.data[{index}]", found)


def _plain(value: Any, hint: Any, path: str, found: Problems) -> None:
    if hint is Decimal:
        _expect(isinstance(value, str), value, "a decimal as text", path, found)
    elif hint is float:
        _expect(isinstance(value, int | float) and not isinstance(value, bool), value, "a number", path, found)
    elif isinstance(hint, type):
        right = isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
        _expect(right, value, hint.__name__, path, found)


def _expect(right: bool, value: Any, what: str, path: str, found: Problems) -> bool:
    if not right:
        found.append(f"{path}: expected {what}, got {value!r:.80}")
    return right


def removed_fields() -> list[tuple[type, str]]:
    """Return fields that older API versions had and the SDK no longer annotates."""
    return [
        (stripe.Invoice, "subscription"),
        (stripe.Invoice, "payment_intent"),
        (stripe.Invoice, "charge"),
        (stripe.Invoice, "paid"),
        (stripe.Charge, "invoice"),
        (stripe.PaymentIntent, "invoice"),
        (stripe.Subscription, "current_period_end"),
    ]
