"""What a comparison of one kind of object is made of, and what is ours at all on a Stripe account we may share."""

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
    """`look` compares a page of Stripe's objects with our rows; `ours_alone` names rows of ours that no page named.

    `since` may reach further back than the run, to what was still open with us. `read` is one object, for a second
    look. Spans are Stripe's time.
    """

    name: str
    since: Callable[[datetime], datetime]
    pages: Callable[[datetime, datetime], Iterator[Page]]
    look: Callable[[Page], list[Mismatch]]
    ours_alone: Callable[[datetime, datetime], Iterator[Mismatch]]
    read: Callable[[str], Any]


def our_charges(intents: Iterable[str], charges: Iterable[str]) -> set[str]:
    """Ids, of intents and of charges, of which we have a payment."""
    wanted = {id for id in (*intents, *charges) if id}
    named = Q(stripe_payment_intent_id__in=wanted) | Q(stripe_charge_id__in=wanted)
    pairs = Payment.objects.filter(named).values_list("stripe_payment_intent_id", "stripe_charge_id")
    return {id for pair in pairs for id in pair if id}


def yes(value: bool) -> str:
    return "yes" if value else "no"


def iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
