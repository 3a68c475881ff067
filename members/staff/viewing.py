"""The user who looks at the desk, and the people they may see.

People at risk are seen only with a right of its own, names and addresses only with the right to see supporters.

A middleware notes the user of each request to the desk; lists and cells ask here. Outside of such a request nobody is
seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet

from members.models import Supporter

PEOPLE, AT_RISK = "members.view_supporter", "members.see_at_risk"
Looker = User | AnonymousUser

_looker: ContextVar[Looker | None] = ContextVar("looker", default=None)


@contextmanager
def by(user: Looker) -> Iterator[None]:
    """Note for the time of a request who looks."""
    token = _looker.set(user)
    try:
        yield
    finally:
        _looker.reset(token)


def sees_people(user: Looker) -> bool:
    """Return whether a user may see names and addresses, and search by them."""
    return user.has_perm(PEOPLE) or user.has_perm("members.change_supporter")


def sees_at_risk(user: Looker) -> bool:
    return user.has_perm(AT_RISK)


def is_named(supporter: Supporter) -> bool:
    """Return whether who looks may see the name and address of this supporter."""
    user = _looker.get()
    return user is not None and sees_people(user) and may_see(user, supporter)


def is_numbered(supporter: Supporter) -> bool:
    """Return whether who looks may see that rows belong to this supporter, by number: not if they are at risk."""
    user = _looker.get()
    return user is not None and may_see(user, supporter)


def may_see(user: Looker, supporter: Supporter) -> bool:
    return not supporter.is_at_risk or sees_at_risk(user)


def hidden_people(user: Looker) -> list[tuple[int, str]]:
    """Return number and address of the people whom this user may not see. One query a request."""
    if not hasattr(user, "_hidden_people"):
        found = [] if sees_at_risk(user) else list(Supporter.objects.filter(is_at_risk=True).values_list("pk", "email"))
        user._hidden_people = found  # type: ignore[union-attr]
    hidden: list[tuple[int, str]] = user._hidden_people  # type: ignore[union-attr]
    return hidden


def without_hidden(rows: QuerySet[Any], user: Looker, person: str = "", email: str = "") -> QuerySet[Any]:
    """Return rows without those of people whom this user may not see.

    `person` is the path from a row to its supporter, `email` its field with an address; "pk" as a path means that the
    rows are supporters.
    """
    hidden = hidden_people(user)
    if not hidden:
        return rows
    if person:
        path = "pk" if person == "pk" else f"{person}_id"
        rows = rows.exclude(**{f"{path}__in": [number for number, _address in hidden]})
    if email:
        for _number, address in hidden:
            rows = rows.exclude(**{f"{email}__iexact": address})
    return rows
