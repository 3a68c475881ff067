"""Read the SDK's TypedDicts: the parameters of a request and the type of each. Imports nothing of ours.

Called by params.py, and by the simulator, which understands requests by the same types.
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
    """The parameters of a TypedDict with resolved hints; options of the request are not parameters."""
    # RequestOptions names these as text; its module is not asked for them.
    names = {"StripeContext": stripe.StripeContext, "Mapping": Mapping}
    hints = typing_extensions.get_type_hints(typed_dict, localns=names, include_extras=True)
    options = stripe.RequestOptions.__annotations__
    inherits = any(base is stripe.RequestOptions for base in typing_extensions.get_original_bases(typed_dict))
    return {name: hint for name, hint in hints.items() if not (inherits and name in options)}


def bare(hint: Any) -> Any:
    """The hint without NotRequired or Required around it."""
    while get_origin(hint) in (NotRequired, Required, typing_extensions.NotRequired, typing_extensions.Required):
        hint = get_args(hint)[0]
    return hint


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The members of a union, or the hint alone. `str` beside a Literal with a real option is only the SDK's slack."""
    if get_origin(hint) not in (Union, types.UnionType):
        return (hint,)
    members = get_args(hint)
    options = [option for member in members if get_origin(member) is Literal for option in get_args(member)]
    if any(options):
        members = tuple(member for member in members if member is not str)
    return members


def is_typed_dict(hint: Any) -> bool:
    return typing_extensions.is_typeddict(hint)
