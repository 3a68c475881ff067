"""Turn form-encoded parameters with brackets into typed ones, according to the SDK's own TypedDicts.

`decode` undoes the brackets; `coerce` turns text into integers, booleans and lists, and refuses parameters that Stripe
does not know. `only` refuses parameters that Stripe knows and the simulator does not.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args, get_origin
from urllib.parse import parse_qsl

from payments.stripe_api.sdk.types import alternatives, bare, fields, is_typed_dict
from stripe_simulator.world.errors import StripeRefusal, invalid, not_simulated, required

Tree = dict[str, Any]


def decode(body: str) -> Tree:
    """Return the parameters as a tree: `a[b][0]=x` becomes {"a": {"b": {"0": "x"}}}. Raises StripeRefusal."""
    tree: Tree = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        keys = [part for part in re.split(r"\[|\]", name) if part] if "[" in name else [name]
        if name.endswith("[]"):
            keys.append("[]")
        node = tree
        for key in keys[:-1]:
            node = node.setdefault(key, {})
            if not isinstance(node, dict):
                raise invalid(f"Invalid parameters: {name}")
        last = keys[-1] if keys[-1] != "[]" else str(len(node))
        node[last] = value
    return tree


def coerce(tree: Tree, typed_dict: type | None) -> Tree:
    """Return the parameters with their types, or as they are without a `typed_dict`.

    Raises Stripe's refusals: unknown or missing parameter, wrong type, unknown enum value.
    """
    if typed_dict is None:
        return tree
    return _object(tree, typed_dict, "")


def only(params: Tree, known: frozenset[str], path: str = "") -> None:
    """Raise not_simulated for a parameter that Stripe knows and the simulator would have to ignore."""
    for name in params:
        if name not in known and name != "expand":
            raise not_simulated(f"the parameter {_join(path, name)}", _join(path, name))


def _object(tree: Any, typed_dict: type, path: str) -> Tree:
    if not isinstance(tree, dict):
        raise invalid(f"Invalid object: {path}", path)
    hints = fields(typed_dict)
    for name in tree:
        if name not in hints:
            raise StripeRefusal(
                f"Received unknown parameter: {_join(path, name)}", code="parameter_unknown", param=_join(path, name)
            )
    for name in typed_dict.__required_keys__:  # type: ignore[attr-defined]
        if name in hints and name not in tree:
            raise required(_join(path, name))
    return {name: _value(value, bare(hints[name]), _join(path, name)) for name, value in tree.items()}


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _value(raw: Any, hint: Any, path: str) -> Any:
    """Return the value as the first of the hint's alternatives that accepts it, strictest first."""
    refusals: list[StripeRefusal] = []
    for member in sorted(alternatives(hint), key=_strictness):
        try:
            return _single(raw, member, path)
        except StripeRefusal as refusal:
            refusals.append(refusal)
    # Report the alternative that matched furthest: it is the one that the caller meant.
    raise max(refusals, key=lambda refusal: len(refusal.param or ""))


def _strictness(hint: Any) -> int:
    return 0 if get_origin(hint) is Literal else 2 if hint is str else 1


def _single(raw: Any, hint: Any, path: str) -> Any:
    origin = get_origin(hint)
    if is_typed_dict(hint):
        return _object(raw, hint, path)
    if origin is list:
        if not isinstance(raw, dict):
            raise invalid("Invalid array", path)
        keys = sorted(raw, key=lambda key: int(key) if key.isdigit() else 0)
        return [_value(raw[key], bare(get_args(hint)[0]), f"{path}[{key}]") for key in keys]
    if origin is dict or getattr(origin, "__name__", "") == "UntypedStripeObject":
        if not isinstance(raw, dict):
            raise invalid("Invalid object", path)
        return {key: _value(value, get_args(hint)[-1], _join(path, key)) for key, value in raw.items()}
    if not isinstance(raw, str):
        raise invalid(f"Invalid value: {path}", path)
    return _text(raw, hint, path)


def _text(raw: str, hint: Any, path: str) -> Any:
    if get_origin(hint) is Literal:
        options = get_args(hint)
        if raw not in options:
            raise invalid(f"Invalid {path}: must be one of {', '.join(map(str, options))}", path)
        return raw
    if hint is bool:
        if raw.lower() not in ("true", "false"):
            raise invalid(f"Invalid boolean: {raw}", path)
        return raw.lower() == "true"
    if hint is int:
        if not re.fullmatch(r"-?\d{1,15}", raw):
            raise invalid(f"Invalid integer: {raw}", path, "parameter_invalid_integer")
        return int(raw)
    if hint in (Decimal, float):
        try:
            return float(Decimal(raw)) if hint is float else str(Decimal(raw))
        except InvalidOperation:
            raise invalid(f"Invalid decimal: {raw}", path) from None
    return raw
