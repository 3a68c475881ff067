"""Reading from Stripe for one group of events: each object once, outside any transaction, within a budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from payments.stripe_api import client, objects
from payments.stripe_api.budget import budget

T = TypeVar("T")


class Reads:
    """What handlers read before the transaction. The same object asked for twice is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Any] = {}

    def session(self, stripe_id: str) -> objects.Session:
        return self._once("session", stripe_id, client.read_session)

    def subscription(self, stripe_id: str) -> objects.Subscription:
        return self._once("subscription", stripe_id, client.read_subscription)

    def invoice(self, stripe_id: str) -> objects.Invoice:
        return self._once("invoice", stripe_id, client.read_invoice)

    def payment_intent(self, stripe_id: str) -> objects.PaymentIntent:
        return self._once("payment_intent", stripe_id, client.read_payment_intent)

    def charge(self, stripe_id: str) -> objects.Charge:
        return self._once("charge", stripe_id, client.read_charge)

    def refund(self, stripe_id: str) -> objects.Refund:
        return self._once("refund", stripe_id, client.read_refund)

    def dispute(self, stripe_id: str) -> objects.Dispute:
        return self._once("dispute", stripe_id, client.read_dispute)

    def mandate(self, stripe_id: str) -> objects.Mandate:
        return self._once("mandate", stripe_id, client.read_mandate)

    def payout(self, stripe_id: str) -> objects.Payout:
        return self._once("payout", stripe_id, client.read_payout)

    def payout_lines(self, stripe_id: str) -> list[objects.BalanceTransaction]:
        return self._once("payout_lines", stripe_id, lambda payout_id: list(client.balance_transactions_of(payout_id)))

    def invoice_of(self, intent_id: str) -> str:
        return self._once("invoice_of", intent_id, client.invoice_of)

    def _once(self, kind: str, stripe_id: str, read: Callable[[str], T]) -> T:
        if (kind, stripe_id) not in self._known:
            budget.wait()
            self._known[kind, stripe_id] = read(stripe_id)
        found: T = self._known[kind, stripe_id]
        return found
