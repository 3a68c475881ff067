"""Read the SDK's TypedDicts: the parameters of a request and the type of each. Imports no code of this project.

Called by params.py, and by the simulator, which parses requests by the same types.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin

import stripe
import typing_extensions


@cache
def fields(typed_dict: type) -> dict[str, Any]:
    """Return the parameters of a TypedDict with resolved type hints, without the options of the request."""
    # RequestOptions refers to these by name, and they are not found in the module of a TypedDict that inherits it.
    names = {"StripeContext": stripe.StripeContext, "Mapping": Mapping}
    hints = typing_extensions.get_type_hints(typed_dict, localns=names, include_extras=True)
    options = stripe.RequestOptions.__annotations__
    inherits = any(base is stripe.RequestOptions for base in typing_extensions.get_original_bases(typed_dict))
    return {name: hint for name, hint in hints.items() if not (inherits and name in options)}


def bare(hint: Any) -> Any:
    """Return the hint without NotRequired or Required around it."""
    while get_origin(hint) in (NotRequired, Required, typing_extensions.NotRequired, typing_extensions.Required):
        hint = get_args(hint)[0]
    return hint


def alternatives(hint: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the hint itself if it is none.

    A `str` next to a Literal is left out: the SDK adds it to every enum, and it would accept misspelled values.
    """
    if get_origin(hint) not in (Union, types.UnionType):
        return (hint,)
    members = get_args(hint)
    options = [option for member in members if get_origin(member) is Literal for option in get_args(member)]
    if any(options):
        members = tuple(member for member in members if member is not str)
    return members


def is_typed_dict(hint: Any) -> bool:
    return typing_extensions.is_typeddict(hint)
