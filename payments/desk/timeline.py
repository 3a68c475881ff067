"""The timeline of a supporter, newest first: payments, subscriptions, cases, and actions of staff and software.

Built from rows that the page has already fetched; runs no query. Called by supporter_page.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.models import Suppression, TimelineEntry
from payments import money
from payments.desk import columns
from payments.desk.patron_status import promise
from payments.desk.samples.catalogue import SAMPLES
from payments.letters.declines import in_words
from payments.models import Case, Payment, RefundRequest, Subscription, SubscriptionChange

DONE, BAD, PLAIN = "done", "bad", ""
ACTIONS = {
    "payment.refund_requested": gettext_lazy("Asked Stripe to send money back"),
    "subscription.stop_requested": gettext_lazy("Asked to stop a subscription"),
    "subscription.pause_requested": gettext_lazy("Asked to pause a subscription"),
    "subscription.amount_requested": gettext_lazy("Asked to give less from the next payment on"),
    "subscription.keep_requested": gettext_lazy("Asked to go on after all"),
    "message.resent": gettext_lazy("Message sent again"),
    "supporter.address_corrected": gettext_lazy("Address corrected"),
    "supporter.marked_at_risk": gettext_lazy("Marked as at risk"),
    "supporter.unmarked_at_risk": gettext_lazy("No longer marked as at risk"),
    "supporter.exported": gettext_lazy("All data exported"),
    "supporter.erasing_asked": gettext_lazy("Asked to erase this person"),
    "supporter.erasing_called_off": gettext_lazy("Erasing called off"),
    "supporter.erased": gettext_lazy("Erased"),
    "letters.chosen": gettext_lazy("Chose which letters to get"),
    "letters.set": gettext_lazy("Set the language of letters, or whether they are discreet"),
    "address.suppressed": gettext_lazy("Nothing is sent to the address any more"),
    "address.suppression_lifted": gettext_lazy("Letters go to the address again"),
    "case.settled": gettext_lazy("Case settled"),
    "customer.deleted": gettext_lazy("Deleted as a customer at Stripe"),
}
SURFACES = {
    "mail": gettext_lazy("from a letter"),
    "staff": gettext_lazy("at the desk"),
    "page": gettext_lazy("on the page of letters"),
    "one click": gettext_lazy("by one click in a mail program"),
    "command": gettext_lazy("by a command on the server"),
}
WHY: dict[str, Any] = {
    value: label
    for reasons in (SubscriptionChange.Reason, RefundRequest.Reason, Suppression.Reason)
    for value, label in reasons.choices
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
    """Return the timeline, newest first. Fetch the refunds with the payments and the actors with the entries."""
    found = [entry_happening(entry) for entry in entries]
    for subscription in subscriptions:
        found.extend(of_subscription(subscription))
    for payment in payments:
        found.extend(of_payment(payment))
    found.extend(Happening(row.opened_at, str(row), BAD, href=columns.address_of(row)) for row in cases)
    return sorted(found, key=lambda happening: happening.at, reverse=True)


def entry_happening(entry: TimelineEntry) -> Happening:
    by = entry.actor.get_username() if entry.actor else ""
    details = ", ".join(str(part) for part in details_in_words(entry.details) if part)
    return Happening(entry.happened_at, ACTIONS.get(entry.action, entry.action), PLAIN, details, by)


def details_in_words(details: dict[str, Any]) -> Iterator[object]:
    """Yield the details of an entry in words. Ids are left out: the page links to their rows."""
    if currency := details.get("currency"):
        yield money.format(details["amount"], currency)
    if "was" in details:
        yield _("%(was)s is now %(is)s") % details
    if kind := details.get("kind"):
        yield dict(Case.Kind.choices).get(kind) or letter_in_words(kind)
    yield SURFACES.get(details.get("surface", ""), "")
    yield WHY.get(details.get("reason", ""), "")


def letter_in_words(kind: str) -> str:
    """Return when this kind of email is sent, as on the page "Letters"; the kind itself without a sample."""
    return str(SAMPLES[kind].when) if kind in SAMPLES else kind


def of_subscription(row: Subscription) -> Iterator[Happening]:
    href, what = columns.address_of(row), promise(row)
    yield Happening(row.started_at, _("Subscription started"), DONE, what, href=href)
    if row.is_stopping and row.canceled_at:
        until = _("The last day paid for is %(day)s.") % {"day": columns.day(row.ends_on)}
        yield Happening(row.canceled_at, _("Stop accepted by Stripe"), PLAIN, until, href=href)
    if row.ended_at:
        yield Happening(row.ended_at, _("Subscription ended"), PLAIN, what, href=href)


def of_payment(row: Payment) -> Iterator[Happening]:
    href, amount = columns.address_of(row), money.format(row.amount, row.currency)
    if row.paid_at:
        words = _("Gift of %(amount)s received") % {"amount": amount}
        yield Happening(row.paid_at, words, DONE, _how(row), href=href)
    elif row.status == Payment.Status.FAILED:
        words = _("Payment of %(amount)s failed") % {"amount": amount}
        yield Happening(row.created_at, words, BAD, in_words(row.failure_code), href=href)
    else:
        yield Happening(row.created_at, _("Payment of %(amount)s is with the bank") % {"amount": amount}, href=href)
    for refund in row.refunds.all():
        back = money.format(refund.amount, refund.currency)
        words = _("%(amount)s sent back") % {"amount": back}
        yield Happening(refund.created_at, words, PLAIN, refund.get_status_display(), href=columns.address_of(refund))


def _how(row: Payment) -> str:
    """Return the card or account of a payment, and after how many failed tries it came."""
    tries = ngettext("after %(count)d failed try", "after %(count)d failed tries", row.failures)
    how = columns.paid_from(row) if row.is_outside_stripe else row.method
    return ", ".join(part for part in (how, tries % {"count": row.failures} if row.failures else "") if part)
