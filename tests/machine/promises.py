"""What the emails of a random life promised, next to what happened to the money in the 45 days after each.

Three ways to contradict the money: nothing more was to be charged, and something was; a sum was named, and another one
was taken; a gift had ended or was paused, and went on. What somebody changed after the email is no contradiction.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from members import clock
from members.models import Message
from payments.models import Payment, Subscription
from tests.machine.house import House

WITHIN = timedelta(days=45)
# The simulator's clock and ours are moved together, and run apart by the time that a step takes.
AT_ONCE = timedelta(minutes=10)
NOTHING_MORE = ("cancelled", "ended", "ended_unpaid")
NAME_THE_NEXT = ("renewal_upcoming_month", "renewal_upcoming_year", "plan_changed", "thanks_upgrade", "resumed")
TERMS = {"cancel_at_period_end", "cancel_at", "pause_collection", "discounts", "trial_end", "collection_method"}


class Promises(House):
    def letters_are_true(self) -> None:
        """Every email about a recurring gift, against the charges that came after it."""
        written = Message.objects.exclude(state=Message.State.CANCELED).order_by("pk")
        found = [told for message in written for told in self._contradictions(message)]
        assert not found, found

    def _contradictions(self, message: Message) -> Iterator[str]:
        gift = Subscription.objects.filter(checkout__reference=message.context.get("reference") or "-").first()
        if gift is None:
            return
        for payment, began in self._charges(gift):
            is_later = message.created_at + AT_ONCE < began < message.created_at + WITHIN
            if not is_later or self._changed(gift, message.created_at, began) or _is_back(payment):
                continue
            if message.kind in NOTHING_MORE:
                yield f"{message.kind} on {message.created_at}, and charged {payment.amount} on {began}"
            if message.kind == "paused" and clock.day_of(began) < _until(message):
                yield f"paused until {_until(message)}, and charged {payment.amount} on {began}"
            if _is_announced(message, began) and payment.amount != message.context["amount"]:
                yield f"{message.kind} named {message.context['amount']}, and {payment.amount} was taken on {began}"

    def _charges(self, gift: Subscription) -> list[tuple[Payment, datetime]]:
        """The payments that were received, each with the moment in which its invoice was made. Readers may pay an open
        one by hand on Stripe's own page, whatever they were promised: those are left out.
        """
        received = [each for each in gift.payments.filter(status="succeeded") if each.stripe_invoice_id]
        found = []
        for payment in received:
            invoice = self.stripe.get(payment.stripe_invoice_id)
            if invoice["id"] not in self.paid_by_hand:
                found.append((payment, datetime.fromtimestamp(invoice["created"], tz=clock.now().tzinfo)))
        return sorted(found, key=lambda each: each[1])

    def _changed(self, gift: Subscription, after: datetime, before: datetime) -> bool:
        """Whether somebody changed the terms between two moments: by the events, which Stripe makes for each change."""
        for event in self.stripe.events("customer.subscription.updated"):
            made = datetime.fromtimestamp(event["created"], tz=after.tzinfo)
            is_of_gift = event["data"]["object"]["id"] == gift.stripe_subscription_id
            if is_of_gift and after - AT_ONCE < made <= before and _has_other_terms(event["data"]):
                return True
        return False


def _has_other_terms(data: dict[str, Any]) -> bool:
    before = data.get("previous_attributes") or {}
    return bool(TERMS & before.keys()) or _prices(before) not in ([], _prices(data["object"]))


def _prices(agreed: dict[str, Any]) -> list[Any]:
    return [(item["price"]["id"], item.get("quantity")) for item in (agreed.get("items") or {}).get("data", [])]


def _until(message: Message) -> date:
    return date.fromisoformat(message.context.get("resumes_on") or "9999-12-31")


def _is_announced(message: Message, began: datetime) -> bool:
    """Whether an email named the sum of the payment of this day."""
    named = message.context.get("renews_on")
    return message.kind in NAME_THE_NEXT and bool(named) and date.fromisoformat(named) == clock.day_of(began)


def _is_back(payment: Payment) -> bool:
    return payment.amount == payment.refunded_amount + payment.disputed_amount
