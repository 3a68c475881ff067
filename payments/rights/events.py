"""Stripe's events about a person, found by the ids and addresses in their payloads.

A payload is bytes, so it is searched as it came. One pass over the events whose payload is still whole: the others
hold ids only. Called by the privacy map, for export and erasing.
"""

from __future__ import annotations

import re

from django.db import connection

from members.rights.person import Person

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
