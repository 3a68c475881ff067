"""What handlers return: a rule to run inside the transaction, with everything it needs read before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from payments.books import ledger
from payments.models import StripeEvent
from payments.stripe_api import client, objects
from payments.stripe_api.reads import Reads

Effect = Callable[[], object]
Handler = Callable[[StripeEvent, Reads], Effect]


@dataclass(frozen=True)
class Gift:
    """A gift given once, to be recorded. The drain records many new ones together (new_gifts)."""

    intent: objects.PaymentIntent

    def __call__(self) -> None:
        ledger.record_gift(self.intent)


def fact(event: StripeEvent, shape: Callable[[Any], Any], read: Callable[[str], Any]) -> Any:
    """The event's object as it came, if it was rendered at our API version; read again otherwise."""
    if event.api_version == client.API_VERSION:
        return shape(event.object)
    return read(event.object["id"])


def in_turn(*effects: Effect) -> Effect:
    def run() -> None:
        for effect in effects:
            effect()

    return run


def nothing() -> None:
    """Nothing to do here: another event tells it."""
