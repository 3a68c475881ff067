"""What happened with a supporter, newest first: money, subscriptions, and what staff and the software did.

Made from rows the page has already; asks the database for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import TimelineEntry
from payments import money
from payments.admin import columns
from payments.admin.standing import promise
from payments.models import Case, Payment, Subscription

DONE, BAD, PLAIN = "done", "bad", ""
ACTIONS = {
    "payment.refund_requested": gettext_lazy("Asked Stripe to send money back"),
    "subscription.stop_requested": gettext_lazy("Asked to stop a subscription"),
    "message.resent": gettext_lazy("Message sent again"),
    "supporter.address_corrected": gettext_lazy("Address corrected"),
    "case.settled": gettext_lazy("Case settled"),
}


@dataclass(frozen=True)
class Happening:
    at: datetime
    words: object
    tone: str = PLAIN
    details: object = ""
    by: str = ""
    href: str = ""


def of(
    subscriptions: Iterable[Subscription],
    payments: Iterable[Payment],
    entries: Iterable[TimelineEntry],
    cases: Iterable[Case],
) -> list[Happening]:
    """Newest first."""
    found = [entry_happening(entry) for entry in entries]
    for subscription in subscriptions:
        found.extend(of_subscription(subscription))
    for payment in payments:
        found.extend(of_payment(payment))
    found.extend(Happening(row.opened_at, str(row), BAD, href=columns.address_of(row)) for row in cases)
    return sorted(found, key=lambda happening: happening.at, reverse=True)


def entry_happening(entry: TimelineEntry) -> Happening:
    details = ", ".join(f"{name}: {value}" for name, value in readable(entry).items() if value not in ("", None))
    by = entry.actor.get_username() if entry.actor else ""
    return Happening(entry.happened_at, ACTIONS.get(entry.action, entry.action), PLAIN, details, by)


def readable(entry: TimelineEntry) -> dict[str, object]:
    """The details, an amount in minor units with its currency as people read it."""
    details = dict(entry.details)
    if "amount" in details and (currency := details.pop("currency", "")):
        details["amount"] = money.format(details["amount"], currency)
    return details


def of_subscription(row: Subscription) -> Iterator[Happening]:
    href, what = columns.address_of(row), promise(row)
    yield Happening(row.started_at, _("Subscription started"), DONE, what, href=href)
    if row.ended_at:
        yield Happening(row.ended_at, _("Subscription ended"), PLAIN, what, href=href)


def of_payment(row: Payment) -> Iterator[Happening]:
    href, amount = columns.address_of(row), money.format(row.amount, row.currency)
    if row.paid_at:
        yield Happening(row.paid_at, _("Gift of %(amount)s received") % {"amount": amount}, DONE, row.method, href=href)
    elif row.status == Payment.Status.FAILED:
        yield Happening(
            row.created_at, _("Payment of %(amount)s failed") % {"amount": amount}, BAD, row.failure_code, href=href
        )
    else:
        yield Happening(row.created_at, _("Payment of %(amount)s is with the bank") % {"amount": amount}, href=href)
    for refund in row.refunds.all():
        back = money.format(refund.amount, refund.currency)
        words = _("%(amount)s sent back") % {"amount": back}
        yield Happening(refund.created_at, words, PLAIN, refund.get_status_display(), href=columns.address_of(refund))
