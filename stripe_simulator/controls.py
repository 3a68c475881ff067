"""The controls of a simulated account: what readers, banks and staff in the dashboard do. Tests and pages call them.

Every method is safe to call from any thread and commits before it returns. Amounts are integers in minor units. An
object can be given by its id, as its document, or as the SDK's object; an unknown id raises StripeRefusal.
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
    """The part of `Simulator` that changes the account."""

    world: World

    def get(self, id: Reference, expand: Iterable[str] = ()) -> Document:
        """Return any object by its id, as the API would return it. Raises StripeRefusal if there is none."""
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
        elsewhere: str | None = None,
    ) -> checkout.Outcome:
        """Pay a session on its hosted page; return the outcome. Raises NotOpen, UnknownNumber.

        `authenticate` answers a 3-D Secure question immediately: True passes, False fails, None leaves it open.
        `elsewhere` is "multibanco" or "us_bank_account": the reader completes the payment with `complete`, or never.
        """
        with self.world.transaction():
            document = self.world.get("checkout.session", id_of(session))
            outcome = checkout.pay(self.world, document, Means(card, iban, expires, elsewhere), email, name)
            if outcome.result is charging.Result.REQUIRES_ACTION and authenticate is not None:
                outcome = checkout.authenticate(self.world, document, passes=authenticate)
            return outcome

    def authenticate(self, session: Reference, passes: bool = True) -> checkout.Outcome:
        with self.world.transaction():
            document = self.world.get("checkout.session", id_of(session))
            return checkout.authenticate(self.world, document, passes=passes)

    def complete(self, session: Reference) -> None:
        """Pay the voucher of a session, or confirm the small deposits to its account."""
        with self.world.transaction():
            intent = self._any(self._any(session)["_intent"])
            settlement.complete(self.world, intent)

    def expire(self, session: Reference) -> None:
        with self.world.transaction():
            checkout.expire(self.world, self.world.get("checkout.session", id_of(session))["id"])

    def settle_sepa(self, payment: Reference, succeeds: bool = True) -> None:
        """Let the bank answer now about a pending debit: a charge, payment intent, session, invoice or subscription."""
        with self.world.transaction():
            settlement.answer(self.world, self._charge(payment), succeeds=succeeds)

    def set_payment_method(
        self,
        customer: Reference,
        card: str = "4242424242424242",
        *,
        iban: str | None = None,
        expires: tuple[int, int] | None = None,
        retry_now: bool = False,
        only_default: bool = False,
    ) -> Document:
        """Make another card or account the default of the customer and every running subscription, in the dashboard.

        Return it. With `only_default` the subscriptions keep their own, as after a visit to the hosted portal. With
        `retry_now`, the customer's open invoices are collected.
        """
        with self.world.transaction():
            person = self.world.get("customer", id_of(customer))
            method = methods.make(self.world, Means(card, iban, expires), person["email"], person["name"])
            methods.make_default(self.world, method, person)
            if not only_default:
                methods.use_for_subscriptions(self.world, method, person)
            if retry_now:
                self._retry_open(person)
            return render(self.world, method)

    def update_card(self, payment_method: Reference, expires: tuple[int, int], *, by_hand: bool = False) -> None:
        """Give a card a new expiry date, (month, year): from the card network or, `by_hand`, from the dashboard."""
        with self.world.transaction():
            method = self.world.get("payment_method", id_of(payment_method))
            methods.renew_card(self.world, method, expires, by_hand=by_hand)

    def revoke_mandate(self, payment_method: Reference) -> None:
        """Revoke the mandate of a bank debit, as the reader can do at the bank."""
        with self.world.transaction():
            methods.revoke_mandate(self.world, self.world.get("payment_method", id_of(payment_method)))

    def break_invoices(self, subscription: Reference) -> None:
        """Let finalizing the subscription's invoices fail, as with an address for which tax cannot be computed."""
        with self.world.transaction():
            self.world.update(self.world.get("subscription", id_of(subscription)), _unfinishable=True)

    def mend_invoices(self, subscription: Reference) -> None:
        """Undo `break_invoices`; then finalize and collect the drafts that failed."""
        with self.world.transaction():
            invoicing.finalize_failed(self.world, self.world.get("subscription", id_of(subscription)))

    def pay_invoice(self, invoice: Reference) -> str:
        """Pay an open invoice as the reader can, passing 3-D Secure if the bank asks; return the invoice's status."""
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
        """Refund a payment in the dashboard; return the refund. Without `amount` (minor units), all that is left."""
        with self.world.transaction():
            return render(self.world, refunds.refund(self.world, self._charge(payment), amount, **given))

    def fail_refund(self, refund: Reference, reason: str = "expired_or_canceled_card") -> None:
        with self.world.transaction():
            refunds.fail(self.world, self.world.get("refund", id_of(refund)), reason)

    def dispute(
        self,
        payment: Reference,
        amount: int | None = None,
        reason: str = "fraudulent",
        *,
        inquiry: bool = False,
        currency: str | None = None,
    ) -> Document:
        """Dispute a payment; `amount` and `currency` are the bank's, by default those of the charge."""
        with self.world.transaction():
            document = disputes.dispute(self.world, self._charge(payment), amount, reason, inquiry, currency)
            return render(self.world, document)

    def answer_dispute(self, dispute: Reference) -> None:
        """Submit evidence for a dispute in the dashboard."""
        with self.world.transaction():
            disputes.answer(self.world, self.world.get("dispute", id_of(dispute)))

    def warn_of_fraud(self, payment: Reference, kind: str = "made_with_stolen_card") -> Document:
        with self.world.transaction():
            return render(self.world, disputes.warn_of_fraud(self.world, self._charge(payment), kind))

    def close_dispute(self, dispute: Reference, won: bool) -> None:
        with self.world.transaction():
            disputes.close(self.world, self.world.get("dispute", id_of(dispute)), won=won)

    def payout(self) -> list[Document]:
        """Pay out the available balance now; return one payout per currency. A payout arrives a day later."""
        with self.world.transaction():
            return [render(self.world, payout) for payout in payouts.pay_out(self.world)]

    def fail_payout(self, payout: Reference) -> None:
        with self.world.transaction():
            payouts.fail(self.world, self.world.get("payout", id_of(payout)))

    def cancel_payout(self, payout: Reference) -> None:
        """Cancel a payout in the dashboard, before it has left for the bank."""
        with self.world.transaction():
            payouts.cancel(self.world, self.world.get("payout", id_of(payout)))

    def cancel(self, subscription: Reference, *, at_period_end: bool = False) -> None:
        """Cancel a subscription in the dashboard or the hosted portal, now or at the end of its period."""
        with self.world.transaction():
            subscriptions.cancel(self.world, self.world.get("subscription", id_of(subscription)), at_period_end)

    def snapshot(self) -> dict[str, dict[str, int]]:
        """Return the sums of the balance transactions: {currency: {type: net, ..., "gross", "fees", "net"}}."""
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
        """Return the latest charge of a payment, given as any of its objects. Raises StripeRefusal without a charge."""
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
