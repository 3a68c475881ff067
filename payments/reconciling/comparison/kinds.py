"""The parts from which the comparison of one kind of object is made, shared by the modules of this folder.

The Stripe account may be shared with other software, so each kind also decides which of Stripe's objects are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from payments.models import Payment
from payments.reconciling.differences import Mismatch

Page = list[Any]


@dataclass(frozen=True)
class ObjectKind:
    """How one kind of object is compared. All times are Stripe's.

    `since` takes the start of the run and returns an earlier one if some of our rows are still unfinished. `pages`
    lists Stripe's objects of a span. `compare_page` compares a page with our rows. `unlisted` returns our rows of a
    span that no page named. `read` reads one object for the second comparison.
    """

    name: str
    since: Callable[[datetime], datetime]
    pages: Callable[[datetime, datetime], Iterator[Page]]
    compare_page: Callable[[Page], list[Mismatch]]
    unlisted: Callable[[datetime, datetime], Iterator[Mismatch]]
    read: Callable[[str], Any]


def our_charges(intents: Iterable[str], charges: Iterable[str]) -> set[str]:
    """Return the ids of intents and charges of our payments that match any of these. Empty ids are ignored."""
    wanted = {id for id in (*intents, *charges) if id}
    named = Q(stripe_payment_intent_id__in=wanted) | Q(stripe_charge_id__in=wanted)
    pairs = Payment.objects.filter(named).values_list("stripe_payment_intent_id", "stripe_charge_id")
    return {id for pair in pairs for id in pair if id}


def yes(value: bool) -> str:
    return "yes" if value else "no"


def iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
