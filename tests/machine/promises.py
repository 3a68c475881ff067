"""What the emails of a random life promised, next to what happened to the money in the 45 days after each.

Three ways to contradict the money: nothing more was to be charged, and something was; a sum was named, and another one
was taken; a gift had ended or was paused, and went on. What somebody changed after the email is no contradiction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from members import clock
from members.models import Message
from payments.models import Payment, Subscription, SubscriptionChange
from tests.machine.house import House

WITHIN = timedelta(days=45)
# The simulator's clock and ours are moved together, and run apart by the time that a step takes.
AT_ONCE = timedelta(minutes=10)
NOTHING_MORE = ("cancelled", "ended", "ended_unpaid")
ANNOUNCING = ("renewal_upcoming_month", "renewal_upcoming_year", "monthly_reminder")
FIRST = ("thanks_first_recurring", "thanks_processing", "processing_done")
CHANGED = ("plan_changed", "thanks_upgrade", "resumed")
TERMS = {
    "cancel_at_period_end",
    "cancel_at",
    "pause_collection",
    "discounts",
    "trial_end",
    "collection_method",
    "items",
}
CHANGING = (
    "customer.subscription.updated",
    "customer.subscription.paused",
    "customer.subscription.resumed",
)


@dataclass(frozen=True)
class Taken:
    """A payment that was received, and when its invoice was made."""

    payment: Payment
    began: datetime

    @property
    def at(self) -> datetime:
        assert self.payment.paid_at is not None
        return self.payment.paid_at

    @property
    def amount(self) -> int:
        return self.payment.amount

    def __str__(self) -> str:
        return f"{self.amount} on {self.at}, of {self.began}"


class Promises(House):
    def letters_are_true(self) -> None:
        """Every email about a recurring gift, against the charges that came after it."""
        written = Message.objects.exclude(state=Message.State.CANCELED).order_by("pk")
        found = []
        for gift in Subscription.objects.exclude(checkout=None).select_related("checkout"):
            assert gift.checkout is not None
            about = [each for each in written.filter(context__reference=gift.checkout.reference) if self._knew(each)]
            changed = self._changed(gift)
            for taken in self._charges(gift):
                found += [told for message in about for told in _contradictions(message, taken, changed)]
        assert not found, found

    def _knew(self, message: Message) -> bool:
        """Whether an email that the calendar causes was written when all of Stripe's events had been processed."""
        is_of_calendar = message.kind in (*ANNOUNCING, "resume_soon")
        return not is_of_calendar or all(abs(message.created_at - at) > AT_ONCE for at in self.uninformed)

    def _charges(self, gift: Subscription) -> list[Taken]:
        """The payments that were received. Readers may pay an open one by hand on Stripe's own page, whatever they
        were promised: those are left out.
        """
        received = [each for each in gift.payments.filter(status="succeeded") if each.stripe_invoice_id]
        found = []
        for payment in received:
            invoice = self.stripe.get(payment.stripe_invoice_id)
            if invoice["id"] not in self.paid_by_hand:
                found.append(Taken(payment, datetime.fromtimestamp(invoice["created"], tz=clock.now().tzinfo)))
        return sorted(found, key=lambda each: each.began)

    def _changed(self, gift: Subscription) -> list[datetime]:
        """When somebody changed the terms: by the events, which Stripe makes for each change."""
        ids = (gift.stripe_subscription_id, gift.stripe_customer_id)
        found = [at for id, at in self.by_hand if id in ids]
        with self.stripe.world.lock:
            events = [event for type in CHANGING for event in self.stripe.world.store.where("event", type=type)]
        for event in events:
            if event["data"]["object"]["id"] == gift.stripe_subscription_id and _has_other_terms(event):
                found.append(datetime.fromtimestamp(event["created"], tz=clock.now().tzinfo))
        return found


def _contradictions(message: Message, taken: Taken, changed: list[datetime]) -> Iterator[str]:
    is_later = message.created_at + AT_ONCE < taken.at and taken.began < message.created_at + WITHIN
    is_other = any(message.created_at - AT_ONCE < at <= taken.began for at in changed)
    if not is_later or is_other or _is_back(taken.payment):
        return
    is_new = message.created_at + AT_ONCE < taken.began
    for told in _broken(message, taken) if is_new else _broken_by_bill(message, taken):
        yield f"{message.kind} of {message.created_at} {told}, and charged {taken}"


def _broken(message: Message, taken: Taken) -> Iterator[str]:
    """What an email said of a payment whose invoice was made after it."""
    facts, day = message.context, clock.day_of(taken.began)
    if message.kind in NOTHING_MORE or facts.get("rests") == "stopped":
        yield "said that nothing more is charged"
    if (message.kind == "paused" or facts.get("rests") == "paused") and day < _until(message):
        yield f"said that nothing is charged until {_until(message)}"
    if (ends_on := facts.get("ends_on")) and date.fromisoformat(ends_on) < day:
        yield f"said that it ends on {ends_on}"
    named = _named(message)
    if named and day == _named_day(message) and taken.amount != named:
        yield f"named {named}"


def _broken_by_bill(message: Message, taken: Taken) -> Iterator[str]:
    """What an email said of a payment that was not taken yet, and whose invoice existed already."""
    asked = SubscriptionChange.objects.filter(subscription=taken.payment.subscription)
    if not any(str(change.public_id) in message.key for change in asked):
        return  # changed at Stripe: no event of that invoice may have come yet
    bills = message.context.get("under_way") or []
    bill = next((each for each in bills if each["invoice"] == taken.payment.stripe_invoice_id), None)
    if bill and bill["state"] != "off":
        if bill["amount"] != taken.amount:
            yield f"named {bill['amount']} under way"
    elif message.kind in (*NOTHING_MORE, "paused"):
        yield "did not name what is under way"


def _named(message: Message) -> int | None:
    """The sum of the next payment that an email names; None if it names none, or says that it may be another one."""
    facts = message.context
    if message.kind not in (*ANNOUNCING, *FIRST, *CHANGED, "resume_soon") or facts.get("sum_varies"):
        return None
    return int(facts["gives"]["amount"] if "gives" in facts else facts.get("take") or facts["amount"]) or None


def _named_day(message: Message) -> date | None:
    day = message.context.get("charged_on" if message.kind == "resume_soon" else "renews_on")
    return date.fromisoformat(day) if day else None


def _has_other_terms(event: dict[str, Any]) -> bool:
    if event["type"] != "customer.subscription.updated":
        return True
    before, after = event["data"].get("previous_attributes") or {}, event["data"]["object"]
    others = TERMS & before.keys() - {"items"}
    return bool(others) or ("items" in before and _prices(before) != _prices(after))


def _prices(agreed: dict[str, Any]) -> list[Any]:
    return [(item["price"]["id"], item.get("quantity")) for item in agreed["items"]["data"]]


def _until(message: Message) -> date:
    return date.fromisoformat(message.context.get("resumes_on") or "9999-12-31")


def _is_back(payment: Payment) -> bool:
    return payment.amount == payment.refunded_amount + payment.disputed_amount
