"""Effects: what handlers return to the drain, a function to run inside the transaction.

A handler reads from Stripe all that its effect needs, so that no effect calls Stripe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from payments.books import gifts
from payments.guard import door, expiring, tries
from payments.models import StripeEvent
from payments.stripe_api import client, objects
from payments.stripe_api.reads import Reads
from payments.stripe_api.trying.failed import FailedTry

Effect = Callable[[], object]
Handler = Callable[[StripeEvent, Reads], Effect]


@dataclass(frozen=True)
class Gift:
    """The effect of recording a one-off gift. The drain records many new ones together (books/new_gifts.py)."""

    intent: objects.PaymentIntent

    def __call__(self) -> None:
        gifts.record_gift(self.intent)


def fact(event: StripeEvent, shape: Callable[[Any], Any], read: Callable[[str], Any]) -> Any:
    """Return the event's object as it came, or read it from Stripe if the event is of another API version.

    For facts that cannot change only, such as a received payment: an event's state may be old.
    """
    if event.api_version == client.API_VERSION:
        return shape(event.object)
    return read(event.object["id"])


def in_turn(*effects: Effect) -> Effect:
    """Return an effect that runs these one after another; without any, it does nothing."""

    def run() -> None:
        for effect in effects:
            effect()

    return run


def nothing() -> None:
    """Do nothing: another event reports the same money."""


def counting(tried: FailedTry | None, at: datetime) -> Effect | None:
    """Return the effect of counting a card that failed; None if none did, or not on a page that we led to."""
    source = tries.source(tried) if tried else None
    return partial(_count, tried, source, at) if tried and source else None


def _count(tried: FailedTry, source: tries.Source, at: datetime) -> None:
    row = tries.record(tried, source, at)
    expiring.request_after(row, is_guarded=door.state() != door.State.NORMAL)
