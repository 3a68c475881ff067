"""Acts of staff in the dashboard that our forms have no counterpart for. Tests and pages call them, like controls.py.

Every method is safe to call from any thread and commits before it returns. Amounts are integers in minor units.
"""

from __future__ import annotations

from typing import Any

from stripe_simulator.life import arrangements, disputes
from stripe_simulator.world.clock import DAY
from stripe_simulator.world.rendering import render
from stripe_simulator.world.store import Document
from stripe_simulator.world.world import World

Reference = Any


class Dashboard:
    """The part of `Simulator` that agrees on something unusual, or is other software on the same account."""

    world: World

    def set_price(
        self,
        subscription: Reference,
        amount: int | None,
        interval: str = "month",
        *,
        count: int = 1,
        quantity: int = 1,
        decimal: str = "1000.5",
    ) -> None:
        """Give the first item another price and rhythm; without an amount, one of fractions: `decimal`."""
        with self.world.transaction():
            document = self._of("subscription", subscription)
            arrangements.set_price(self.world, document, amount, decimal, interval, count, quantity)

    def add_item(self, subscription: Reference, amount: int, *, quantity: int = 1) -> None:
        with self.world.transaction():
            arrangements.add_item(self.world, self._of("subscription", subscription), amount, quantity)

    def discount(self, subscription: Reference, percent: int) -> None:
        """Put a coupon on a subscription."""
        with self.world.transaction():
            arrangements.discount(self.world, self._of("subscription", subscription), percent)

    def credit(self, customer: Reference, amount: int) -> None:
        """Give a customer credit for coming invoices; an amount below zero is a debt."""
        with self.world.transaction():
            arrangements.credit(self.world, self._of("customer", customer), amount)

    def prorate(self, subscription: Reference, *amounts: int) -> None:
        """Let the next bill of a subscription also have these lines, for a change in the middle of its period."""
        with self.world.transaction():
            arrangements.prorate(self.world, self._of("subscription", subscription), list(amounts))

    def move_billing_day(self, subscription: Reference, days: int) -> None:
        """Move the next billing to so many days from now, with `trial_end`."""
        with self.world.transaction():
            end = self.world.now() + days * DAY
            arrangements.move_billing_day(self.world, self._of("subscription", subscription), end)

    def set_facts(self, subscription: Reference, **facts: Any) -> None:
        """Set fields of a subscription as they are, such as a status that does not exist yet, and report it."""
        with self.world.transaction():
            self.world.update(self._of("subscription", subscription), arrangements.UPDATED, **facts)

    def end_for(self, subscription: Reference, reason: str) -> None:
        """End a subscription as Stripe does by itself, for `payment_disputed` or another reason."""
        with self.world.transaction():
            arrangements.end_for(self.world, self._of("subscription", subscription), reason)

    def pay_by_another(self, invoice: Reference, card: str = "4242424242424242", amount: int = 0) -> None:
        """Pay an open invoice, or `amount` of it, by a payment beside its default one."""
        with self.world.transaction():
            arrangements.pay_by_another(self.world, self._of("invoice", invoice), card, amount)

    def return_part(self, dispute: Reference, amount: int) -> None:
        """Give a part of disputed money back."""
        with self.world.transaction():
            disputes.return_part(self.world, self._of("dispute", dispute), amount)

    def foreign_session(self, customer: Reference) -> Document:
        """Let other software save a customer's card by a session of its own; return it."""
        with self.world.transaction():
            return render(self.world, arrangements.foreign_session(self.world, self._of("customer", customer)))

    def foreign_refund(self, refund: Reference) -> Document:
        """Let other software send a cash balance back, by a refund that is otherwise like this one; return it."""
        with self.world.transaction():
            return render(self.world, arrangements.foreign_refund(self.world, self._of("refund", refund)))

    def _of(self, kind: str, reference: Reference) -> Document:
        return self.world.get(kind, reference if isinstance(reference, str) else str(reference["id"]))
