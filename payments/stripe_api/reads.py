"""Reads from Stripe for one lane of events: each object once, outside any transaction, within the budget.

Made for each lane by payments/webhooks/lanes.py and handed to the handlers; the comparison uses it too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from payments.stripe_api import account_values, budget, client, lists, objects

T = TypeVar("T")
# Objects that belong to a customer, each with a state that an older read of it would overwrite.
OF_CUSTOMERS = (
    objects.Charge,
    objects.Dispute,
    objects.Invoice,
    objects.PaymentIntent,
    objects.Refund,
    objects.Session,
    objects.Subscription,
)
# Kinds of objects that are read before their events are handled. Earlier kinds come first, because reading one also
# returns objects of later kinds.
AHEAD = ("checkout.session", "invoice", "subscription", "refund")


class Wanted(NamedTuple):
    """An object to read ahead: its kind, one of AHEAD, and its Stripe id."""

    kind: str
    id: str


class Reads:
    """The objects read from Stripe so far, each once. An error is kept too, and raised again at every read.

    Methods raise what client.py raises. Not for use in several threads at the same time.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Any] = {}

    def session(self, stripe_id: str) -> objects.Session:
        session = self._once("session", stripe_id, client.read_session)
        self._remember("subscription", session.subscription)
        self._remember("payment_intent", session.payment_intent)
        return session

    def subscription(self, stripe_id: str) -> objects.Subscription:
        return self._once("subscription", stripe_id, client.read_subscription)

    def invoice(self, stripe_id: str) -> objects.Invoice:
        invoice = self._once("invoice", stripe_id, client.read_invoice)
        if invoice.agreed and invoice.agreed.knows_methods:
            self._remember("subscription", invoice.agreed)
        return invoice

    def payment_intent(self, stripe_id: str) -> objects.PaymentIntent:
        return self._once("payment_intent", stripe_id, client.read_payment_intent)

    def charge(self, stripe_id: str) -> objects.Charge:
        return self._once("charge", stripe_id, client.read_charge)

    def refund(self, stripe_id: str) -> objects.Refund:
        return self._once("refund", stripe_id, client.read_refund)

    def dispute(self, stripe_id: str) -> objects.Dispute:
        return self._once("dispute", stripe_id, client.read_dispute)

    def mandate(self, stripe_id: str) -> account_values.Mandate:
        return self._once("mandate", stripe_id, client.read_mandate)

    def payout(self, stripe_id: str) -> account_values.Payout:
        return self._once("payout", stripe_id, client.read_payout)

    def payout_lines(self, stripe_id: str) -> list[account_values.BalanceTransaction]:
        return self._once("payout_lines", stripe_id, lambda payout_id: list(lists.balance_transactions_of(payout_id)))

    def invoice_of(self, intent_id: str) -> str:
        return self._once("invoice_of", intent_id, client.invoice_of)

    def subscriptions_of(self, customer: str) -> list[objects.Subscription]:
        return self._once("subscriptions_of", customer, lists.subscriptions_of)

    def intents_of(self, customer: str) -> list[objects.PaymentIntent]:
        return self._once("intents_of", customer, lists.intents_of)

    def named_for(self, customer: str) -> set[str]:
        """Return the checkouts (public ids) in the metadata of this customer's objects read so far. Reads nothing."""
        kinds = (objects.Session, objects.Invoice, objects.Subscription)
        found = [one for one in self._known.values() if isinstance(one, kinds) and one.customer == customer]
        return {one.checkout for one in found if one.checkout}

    def lanes(self) -> set[str]:
        """Return the lanes of all that was read so far about gifts and money, see objects.lane_of. Reads nothing."""
        return {objects.lane(found) for found in self._known.values() if isinstance(found, OF_CUSTOMERS)}

    def customer(self, stripe_id: str) -> account_values.Customer:
        return self._once("customer", stripe_id, client.read_customer)

    def customer_of_method(self, method_id: str) -> str:
        return self._once("customer_of_method", method_id, client.customer_of_method)

    def ahead(self, wanted: Collection[Wanted]) -> None:
        """Read objects that handlers will ask for. Raises nothing: errors are raised when a handler asks.

        Safe to run in any thread, because it does not use the database.
        """
        read = {
            "checkout.session": self._session_and_invoice,
            "invoice": self.invoice,
            "subscription": self.subscription,
            "refund": self.refund,
        }
        for kind, stripe_id in sorted(wanted, key=lambda one: AHEAD.index(one.kind)):
            with suppress(Exception):
                read[kind](stripe_id)

    def _session_and_invoice(self, stripe_id: str) -> None:
        """Read a session and its invoice: the handler of a session needs both."""
        session = self.session(stripe_id)
        if session.invoice:
            self.invoice(session.invoice)

    def _remember(self, kind: str, found: objects.Subscription | objects.PaymentIntent | None) -> None:
        """Keep an object that was expanded within another one, unless it was read before."""
        if found:
            self._known.setdefault((kind, found.id), found)

    def _once(self, kind: str, stripe_id: str, read: Callable[[str], T]) -> T:
        """Return the object, or raise the error, of the first read; read it now if there was none."""
        if (kind, stripe_id) not in self._known:
            budget.wait()
            try:
                self._known[kind, stripe_id] = read(stripe_id)
            except Exception as error:
                self._known[kind, stripe_id] = error
        found: T | Exception = self._known[kind, stripe_id]
        if isinstance(found, Exception):
            raise found
        return found
