"""What people, banks and the dashboard do to a simulated account: the controls that tests and the pages call.

Every method is safe from any thread and commits before it answers. Amounts are integers in minor units. What may be
referred to by id may also be given as the document or the SDK's object.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stripe_simulator.life import (
    charging,
    checkout,
    disputes,
    invoicing,
    methods,
    payouts,
    refunds,
    settlement,
    subscriptions,
)
from stripe_simulator.life.methods import Means
from stripe_simulator.world.errors import missing
from stripe_simulator.world.rendering import render
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

Reference = Any


def id_of(reference: Reference) -> str:
    return reference if isinstance(reference, str) else str(reference["id"])


class Controls:
    """The half of `Simulator` that changes the account."""

    world: World

    def get(self, id: Reference, expand: Iterable[str] = ()) -> Document:
        """Any object by its id, as the API would show it."""
        with self.world.lock:
            return render(self.world, self._any(id), expand)

    def _any(self, id: Reference) -> Document:
        found = self.world.store.find(id_of(id))
        if found is None:
            raise missing("object", str(id))
        return found

    def pay(
        self,
        session: Reference,
        card: str = "4242424242424242",
        *,
        iban: str | None = None,
        email: str | None = "reader@example.org",
        name: str | None = "A Reader",
        authenticate: bool | None = None,
        expires: tuple[int, int] | None = None,
    ) -> checkout.Outcome:
        """Fill the hosted page in. `authenticate` answers 3-D Secure at once: True completes, False fails it."""
        with self.world.transaction():
            document = self.world.get("checkout.session", id_of(session))
            outcome = checkout.pay(self.world, document, Means(card, iban, expires), email, name)
            if outcome.result is charging.Result.REQUIRES_ACTION and authenticate is not None:
                outcome = checkout.authenticate(self.world, document, passes=authenticate)
            return outcome

    def authenticate(self, session: Reference, passes: bool = True) -> checkout.Outcome:
        with self.world.transaction():
            document = self.world.get("checkout.session", id_of(session))
            return checkout.authenticate(self.world, document, passes=passes)

    def expire(self, session: Reference) -> None:
        with self.world.transaction():
            checkout.expire(self.world, self.world.get("checkout.session", id_of(session))["id"])

    def settle_sepa(self, payment: Reference, succeeds: bool = True) -> None:
        """The bank answers now about a pending charge: a charge, payment intent, session or subscription."""
        with self.world.transaction():
            settlement.settle(self.world, self._charge(payment), succeeds=succeeds)

    def set_payment_method(
        self,
        customer: Reference,
        card: str = "4242424242424242",
        *,
        iban: str | None = None,
        expires: tuple[int, int] | None = None,
        retry_now: bool = False,
    ) -> Document:
        """Put another card or account in place, for the customer and every running subscription."""
        with self.world.transaction():
            person = self.world.get("customer", id_of(customer))
            method = methods.make(self.world, Means(card, iban, expires), person["email"], person["name"])
            methods.make_default(self.world, method, person)
            if retry_now:
                self._retry_open(person)
            return render(self.world, method)

    def update_card(self, payment_method: Reference, expires: tuple[int, int], *, by_hand: bool = False) -> None:
        """A new expiry date, (month, year): the card network tells it, or somebody types it in the dashboard."""
        with self.world.transaction():
            method = self.world.get("payment_method", id_of(payment_method))
            methods.renew_card(self.world, method, expires, by_hand=by_hand)

    def revoke_mandate(self, payment_method: Reference) -> None:
        """The reader revokes a bank debit's mandate at the bank."""
        with self.world.transaction():
            methods.revoke_mandate(self.world, self.world.get("payment_method", id_of(payment_method)))

    def break_invoices(self, subscription: Reference) -> None:
        """From now on Stripe cannot finish the subscription's bills, as with an address that tax cannot be told of."""
        with self.world.transaction():
            self.world.update(self.world.get("subscription", id_of(subscription)), _unfinishable=True)

    def mend_invoices(self, subscription: Reference) -> None:
        with self.world.transaction():
            invoicing.mend(self.world, self.world.get("subscription", id_of(subscription)))

    def pay_invoice(self, invoice: Reference) -> str:
        """The reader completes the authentication a renewal asked for, or pays an open invoice by hand: its status."""
        with self.world.transaction():
            document = self.world.get("invoice", id_of(invoice))
            if document["status"] == "open":
                invoicing.pay(self.world, document, authenticated=True)
            return str(document["status"])

    def _retry_open(self, person: Document) -> None:
        for invoice in self.world.store.where("invoice", customer=person["id"], status="open"):
            if invoice["auto_advance"]:
                invoicing.retry(self.world, invoice["id"])

    def refund(self, payment: Reference, amount: int | None = None, **given: Any) -> Document:
        """From the dashboard: a charge, payment intent or session; everything that is left unless told."""
        with self.world.transaction():
            return render(self.world, refunds.refund(self.world, self._charge(payment), amount, **given))

    def fail_refund(self, refund: Reference, reason: str = "expired_or_canceled_card") -> None:
        with self.world.transaction():
            refunds.fail(self.world, self.world.get("refund", id_of(refund)), reason)

    def dispute(
        self, payment: Reference, amount: int | None = None, reason: str = "fraudulent", *, inquiry: bool = False
    ) -> Document:
        with self.world.transaction():
            document = disputes.dispute(self.world, self._charge(payment), amount, reason, inquiry)
            return render(self.world, document)

    def answer_dispute(self, dispute: Reference) -> None:
        """Evidence is handed in in the dashboard."""
        with self.world.transaction():
            disputes.answer(self.world, self.world.get("dispute", id_of(dispute)))

    def close_dispute(self, dispute: Reference, won: bool) -> None:
        with self.world.transaction():
            disputes.close(self.world, self.world.get("dispute", id_of(dispute)), won=won)

    def payout(self) -> list[Document]:
        """Pay out what is available, now; it arrives a day later."""
        with self.world.transaction():
            return [render(self.world, payout) for payout in payouts.pay_out(self.world)]

    def fail_payout(self, payout: Reference) -> None:
        with self.world.transaction():
            payouts.fail(self.world, self.world.get("payout", id_of(payout)))

    def cancel_payout(self, payout: Reference) -> None:
        """From the dashboard, before it has left for the bank."""
        with self.world.transaction():
            payouts.cancel(self.world, self.world.get("payout", id_of(payout)))

    def cancel(self, subscription: Reference, *, at_period_end: bool = False) -> None:
        """From the dashboard or the hosted portal."""
        with self.world.transaction():
            subscriptions.cancel(self.world, self.world.get("subscription", id_of(subscription)), at_period_end)

    def snapshot(self) -> dict[str, dict[str, int]]:
        """Balance transactions added up: {currency: {type: net..., "gross", "fees", "net"}}."""
        totals: dict[str, dict[str, int]] = {}
        with self.world.lock:
            for row in self.world.store.all("balance_transaction"):
                kept = totals.setdefault(row["currency"], {"gross": 0, "fees": 0, "net": 0})
                kept["gross"] += row["amount"]
                kept["fees"] += row["fee"]
                kept["net"] += row["net"]
                kept[row["type"]] = kept.get(row["type"], 0) + row["net"]
        return totals

    def _charge(self, payment: Reference) -> Document:
        """The latest charge of whatever stands for a payment. Raises StripeRefusal when there is none yet."""
        document = self._any(payment)
        if document["object"] == "subscription":
            document = self._any(document["latest_invoice"] or "latest_invoice")
        if document["object"] in ("invoice", "checkout.session"):
            document = self._any(document.get("_intent") or "payment_intent")
        if document["object"] == "payment_intent":
            document = self._any(document["latest_charge"] or "latest_charge")
        if document["object"] != "charge":
            raise missing("charge", document["id"])
        return document
