"""Stripe's events about a person, found by the ids and addresses in their payloads.

A payload is bytes, so it is searched as it came. One pass over the events whose payload is still whole: the others
hold ids only. Called by the privacy map, for export and erasing.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.db import connection

from members.rights.person import Person
from payments.models import StripeEvent
from payments.stripe_api import objects

# Bytes outside ASCII become octal numbers, and a backslash two; what is searched for holds neither. One expression for
# all, because each pattern of a LIKE would read the whole payload again.
_FOUND = """
SELECT id FROM payments_stripeevent WHERE trimmed_at IS NULL AND encode(payload, 'escape') ~* %s
"""


def numbers_of(person: Person) -> list[str]:
    """Return the ids of all events whose whole payload names one of the person's ids or addresses."""
    wanted = sorted(text for text in {*person.ids, *person.addresses} if text and text.isascii())
    if not wanted:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, ["|".join(map(re.escape, wanted))])
        return [row[0] for row in cursor.fetchall()]


def ids_behind(person: Person) -> frozenset[str]:
    """Return ids of objects at Stripe that only events know: those of attempts that never became a gift.

    A customer counts as the person's if an object with the id of one of their checkouts in its metadata names it: the
    same address may have bought something of another software on the account.
    """
    found = StripeEvent.objects.filter(pk__in=numbers_of(person)).values_list("payload", flat=True)
    things = [thing for payload in found if (thing := _object(bytes(payload)))]
    named = [thing for thing in things if _metadata(thing).get(objects.METADATA_CHECKOUT) in person.ids]
    customers = {objects.customer_of(thing) for thing in named} - {""}
    theirs = [thing for thing in things if objects.customer_of(thing) in customers]
    return frozenset(customers | {str(thing["id"]) for thing in (*named, *theirs) if thing.get("id")})


def _object(payload: bytes) -> dict[str, Any]:
    """Return the object of an event, or {} if the payload has another form."""
    try:
        found = json.loads(payload)["data"]["object"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _metadata(thing: dict[str, Any]) -> dict[str, Any]:
    found = thing.get("metadata")
    return found if isinstance(found, dict) else {}
