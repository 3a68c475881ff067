"""Check parameters before they are sent to Stripe: they must fit the SDK's own TypedDicts.

`check(params, SessionCreateParams)` raises a ValueError that names the path. Called by client.py on every write in
DEBUG and in tests: since version 16 every enum of the SDK is `Union[Literal[...], str]`, and mypy sees no misspelling.
A TypedDict is compiled to plain functions once; after that a check costs microseconds.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Literal, get_args, get_origin

from payments.stripe_api.sdk.types import alternatives, bare, fields, is_typed_dict

Problem = tuple[str, str]
Check = Callable[[Any, str], Problem | None]


def check(params: Mapping[str, Any], typed_dict: type) -> None:
    """Raise ValueError naming the first path at which `params` do not fit `typed_dict`."""
    problem = _typed_dict(typed_dict)(params, "")
    if problem is not None:
        path, message = problem
        raise ValueError(f"{typed_dict.__name__}: {path or '(top)'}: {message}")


@cache
def _typed_dict(typed_dict: type) -> Check:
    """Return the check of a TypedDict: required names are there, no others are, and every value fits."""
    # Members are compiled on first use: the SDK's types may refer to themselves.
    hints = fields(typed_dict)
    required = [name for name in hints if name in typed_dict.__required_keys__]  # type: ignore[attr-defined]
    compiled: dict[str, Check] = {}

    def fits(value: Any, path: str) -> Problem | None:
        if not isinstance(value, Mapping):
            return path, f"expected an object, got {value!r}"
        for name in required:
            if name not in value:
                return _join(path, name), "is required"
        for name, item in value.items():
            if name not in hints:
                return _join(path, str(name)), "is not a parameter of Stripe's"
            if name not in compiled:
                compiled[name] = _compile(bare(hints[name]))
            problem = compiled[name](item, _join(path, name))
            if problem is not None:
                return problem
        return None

    return fits


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _compile(hint: Any) -> Check:
    members = [_single(member) for member in alternatives(hint)]
    if len(members) == 1:
        return members[0]

    def fits(value: Any, path: str) -> Problem | None:
        problems = [problem for problem in (member(value, path) for member in members) if problem is not None]
        if len(problems) < len(members):
            return None
        # The alternative whose problem is deepest is the most likely intention.
        return max(problems, key=lambda problem: len(problem[0]))

    return fits


def _single(hint: Any) -> Check:
    origin = get_origin(hint)
    if is_typed_dict(hint):
        return lambda value, path: _typed_dict(hint)(value, path)
    if origin is Literal:
        return _literal(get_args(hint))
    if origin is list:
        return _list(_compile(get_args(hint)[0]))
    if origin in (dict, Mapping) or getattr(origin, "__name__", "") == "UntypedStripeObject":
        return _mapping(_compile(get_args(hint)[-1]))
    return _plain(hint)


def _literal(options: tuple[Any, ...]) -> Check:
    def fits(value: Any, path: str) -> Problem | None:
        if any(value == option and type(value) is type(option) for option in options):
            return None
        return path, f"{value!r} is not one of {', '.join(map(repr, options[:12]))}"

    return fits


def _list(item: Check) -> Check:
    def fits(value: Any, path: str) -> Problem | None:
        if not isinstance(value, list | tuple):
            return path, f"expected a list, got {value!r}"
        problems = (item(each, f"{path}[{index}]") for index, each in enumerate(value))
        return next((problem for problem in problems if problem is not None), None)

    return fits


def _mapping(item: Check) -> Check:
    def fits(value: Any, path: str) -> Problem | None:
        if not isinstance(value, Mapping):
            return path, f"expected an object, got {value!r}"
        for key, each in value.items():
            if not isinstance(key, str):
                return path, f"expected text as key, got {key!r}"
            problem = item(each, _join(path, key))
            if problem is not None:
                return problem
        return None

    return fits


def _plain(hint: Any) -> Check:
    expected: tuple[type, ...] = (int, float) if hint is float else (hint,) if isinstance(hint, type) else ()
    if hint is typing.Any or not expected:
        return lambda value, path: None

    def fits(value: Any, path: str) -> Problem | None:
        if (isinstance(value, bool) and hint is not bool) or not isinstance(value, expected):
            name = "Decimal" if hint is Decimal else getattr(hint, "__name__", str(hint))
            return path, f"expected {name}, got {value!r}"
        return None

    return fits


def in_order(params: Any) -> Any:
    """Return the parameters with all names sorted, so that equal parameters are sent as equal bytes.

    PostgreSQL's JSON does not keep the order of names, and Stripe must recognise a repeated request as the same.
    """
    if isinstance(params, Mapping):
        return {name: in_order(params[name]) for name in sorted(params)}
    return [in_order(value) for value in params] if isinstance(params, list) else params
