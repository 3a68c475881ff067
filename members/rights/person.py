"""The person whose data is exported or erased: their supporter's row, their addresses, their ids at Stripe.

Made by payments/rights/people.py, which knows the ids; used by the conditions in the tables of the privacy map.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Q

from members.models import Supporter


@dataclass(frozen=True)
class Person:
    """A supporter, or an address that was only typed. `addresses` are in small letters, the present one first.

    `ids` are the ids of their objects at Stripe and of their checkouts in Stripe's metadata.
    """

    supporter: Supporter | None
    addresses: tuple[str, ...] = ()
    ids: frozenset[str] = frozenset()

    @property
    def number(self) -> int:
        """Return the primary key of the supporter; 0, which no row has, without one."""
        return self.supporter.pk if self.supporter else 0

    @property
    def name_in_files(self) -> str:
        """Return a name for a file that says nothing about the person."""
        return str(self.supporter.public_id if self.supporter else uuid.uuid4())

    def with_address(self, field: str) -> Q:
        """Return the condition that this field of a row is one of the addresses, however it is capitalised."""
        found = Q(pk__in=[])
        for address in self.addresses:
            found |= Q(**{f"{field}__iexact": address})
        return found
