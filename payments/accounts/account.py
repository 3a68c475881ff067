"""The account of a recurring gift: its present state and its next payment, read from our rows only.

Every page, email and desk page that speaks of a gift asks here, so that none says something else than another. Amounts
are in minor units of the gift's currency. Our rows follow Stripe; a request of the reader that Stripe has accepted
counts already, one that Stripe has not answered does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeVar

from members import clock
from payments import rhythms
from payments.accounts import tries, under_way
from payments.accounts.under_way import DUE, Bill
from payments.models import Payment, Subscription, SubscriptionChange

Row = TypeVar("Row", Payment, SubscriptionChange)
NOBODY = 0  # the id of no row


class State(StrEnum):
    """The states of a recurring gift, in the words of `data-state`. Of several that apply, the first one counts."""

    ENDED = "ended"
    ENDING = "ending"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    PROCESSING = "processing"
    ACTIVE = "active"


@dataclass(frozen=True)
class Account:
    """A recurring gift as it is now, and its next payment. A day is None where it does not apply.

    `amount` is charged by the next payment, or was by the last one if there is none. `next_on` is its day: None while
    the gift is paused without an end, ends or has ended, and while Stripe collects nothing. `ends_on` is its last day,
    `overdue` the failed payments that should still be paid, oldest first, `with_bank` those on their way. `under_way`
    are the bills that exist already: the next payment is the one after those.
    """

    subscription: Subscription
    state: State
    amount: int
    next_on: date | None
    ends_on: date | None
    resumes_on: date | None
    last: Payment | None
    overdue: Sequence[Payment]
    with_bank: Sequence[Payment]
    under_way: Sequence[Bill]

    @property
    def currency(self) -> str:
        return self.subscription.currency

    @property
    def frequency(self) -> str:
        return self.subscription.frequency

    @property
    def rhythm(self) -> str:
        return self.subscription.rhythm

    @property
    def has_unusual_terms(self) -> bool:
        """Return whether it is taken in a rhythm that our forms do not offer, or no sum can be named beforehand."""
        return self.frequency == rhythms.OTHER or not self.amount

    @property
    def overdue_amount(self) -> int:
        return sum(payment.amount for payment in self.overdue)

    @property
    def overdue_since(self) -> date | None:
        first = self.overdue[0].failing_since if self.overdue else None
        return clock.day_of(first) if first else None

    @property
    def next_try_on(self) -> date | None:
        """Return the day on which Stripe next tries an overdue payment; None if it tries none any more."""
        return min((day for payment in self.overdue if (day := tries.next_try_on(payment))), default=None)

    @property
    def due(self) -> Sequence[Bill]:
        """Return the bills that are taken within the hour: Stripe has made them and not tried them yet."""
        return [bill for bill in self.under_way if bill.state == DUE]

    @property
    def due_amount(self) -> int:
        return sum(bill.amount for bill in self.due)

    @property
    def due_on(self) -> date | None:
        return min((bill.taken_on for bill in self.due), default=None)

    @property
    def last_on(self) -> date | None:
        return clock.day_of(self.last.paid_at) if self.last and self.last.paid_at else None

    @property
    def with_bank_amount(self) -> int:
        return sum(payment.amount for payment in self.with_bank)

    @property
    def amount_before(self) -> int | None:
        """Return the amount of the last payment if the next one is another amount, else None.

        None as well if credit, a discount or a planned change may make the next one yet another.
        """
        if self.last is None or self.next_on is None or self.last.currency != self.currency:
            return None
        if not self.subscription.is_sum_sure:
            return None
        return self.last.amount if self.last.amount != self.amount else None


def of(subscription: Subscription) -> Account:
    """Return the account of a gift. Six queries."""
    return of_all([subscription])[0]


def of_all(subscriptions: Iterable[Subscription]) -> list[Account]:
    """Return the accounts of many gifts, in the same order. Six queries for all, and for none.

    For none as well, so that the time which an answer takes does not show whether somebody gives (letters/links.py).
    """
    rows = list(subscriptions)
    ids = [row.pk for row in rows] or [NOBODY]
    payments = Payment.objects.filter(subscription__in=ids)
    unpaid = list(payments.exclude(status=Payment.Status.SUCCEEDED).order_by("created_at", "pk"))
    open_ones, bills = _by_gift(unpaid), under_way.of_all(rows, unpaid, ids)
    received = payments.filter(status=Payment.Status.SUCCEEDED).order_by("subscription_id", "-paid_at", "-pk")
    last = {payment.subscription_id: payment for payment in received.distinct("subscription_id")}
    changes = _by_gift(SubscriptionChange.objects.filter(subscription__in=ids, state__in=SubscriptionChange.UNSEEN))
    return [_account(row, open_ones[row.pk], last.get(row.pk), changes[row.pk], bills[row.pk]) for row in rows]


def _by_gift(rows: Iterable[Row]) -> dict[int | None, list[Row]]:
    found: dict[int | None, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.subscription_id].append(row)
    return found


def _account(
    row: Subscription,
    open_ones: list[Payment],
    last: Payment | None,
    changes: list[SubscriptionChange],
    bills: list[Bill],
) -> Account:
    """Return the account from a gift's payments that were not received, the last one that was, the requests that no
    read of the gift has confirmed, newest first, and the bills that are under way.
    """
    accepted = [change for change in changes if change.state == SubscriptionChange.State.ACCEPTED]
    with_bank = [payment for payment in open_ones if payment.status == Payment.Status.PROCESSING]
    overdue = [] if row.stops_after(changes) else _overdue(row, open_ones)
    is_behind = bool(overdue) or row.status == Subscription.Status.UNPAID
    state = _state(row, accepted, is_behind=is_behind, is_first_with_bank=bool(with_bank) and last is None)
    resumes_on = _resumes_on(row, accepted) if state == State.PAUSED else None
    return Account(
        subscription=row,
        state=state,
        amount=_amount(row, accepted),
        next_on=_next_on(row, state, resumes_on),
        ends_on=_ends_on(row, state),
        resumes_on=resumes_on,
        last=last,
        overdue=overdue,
        with_bank=with_bank,
        under_way=bills,
    )


def _state(
    row: Subscription, accepted: list[SubscriptionChange], *, is_behind: bool, is_first_with_bank: bool
) -> State:
    if not row.is_alive:
        return State.ENDED
    if row.stops_after(accepted):
        return State.ENDED if row.ends_at_once_after(accepted) else State.ENDING
    if is_behind:
        return State.PAST_DUE
    if row.pauses_after(accepted) or row.status == Subscription.Status.PAUSED:
        return State.PAUSED
    return State.PROCESSING if is_first_with_bank else State.ACTIVE


def _overdue(row: Subscription, open_ones: list[Payment]) -> list[Payment]:
    """Return the failed payments that should still be paid; [] if the gift is up to date.

    A payment whose invoice staff voided or wrote off at Stripe is left out, although Stripe would still accept it.
    """
    if row.status not in Subscription.BEHIND:
        return []
    failed = [payment for payment in open_ones if payment.status == Payment.Status.FAILED]
    return [payment for payment in failed if payment.failing_since and payment.stripe_invoice_id]


def _amount(row: Subscription, accepted: list[SubscriptionChange]) -> int:
    asked = [change.amount for change in accepted if change.amount]
    return asked[0] if asked else row.amount


def _resumes_on(row: Subscription, accepted: list[SubscriptionChange]) -> date | None:
    """Return the day on which a pause ends, of an accepted request before what was last read; None without an end."""
    if row.status == Subscription.Status.PAUSED:  # a pause of Stripe's own, which staff end
        return None
    pauses = [change.stripe_params["pause_collection"] for change in accepted if _pauses(change)]
    if pauses:
        return clock.day_of(datetime.fromtimestamp(pauses[0]["resumes_at"], UTC))
    return clock.day_of(row.resumes_at) if row.resumes_at else None


def _pauses(change: SubscriptionChange) -> bool:
    return bool((change.stripe_params.get("pause_collection") or {}).get("resumes_at"))


def _next_on(row: Subscription, state: State, resumes_on: date | None) -> date | None:
    """Return the day of the next payment: after a pause, the first one on or after the day on which the pause ends.

    None if the gift ends before. Stripe collects nothing from one whose payments it has given up (`unpaid`):
    https://docs.stripe.com/api/subscriptions/object#subscription_object-status
    """
    if state in (State.ENDED, State.ENDING) or (state == State.PAUSED and resumes_on is None):
        return None
    if row.status == Subscription.Status.UNPAID:
        return None
    day, times = row.renews_on, 0
    while resumes_on and day < resumes_on:
        times += 1
        day = rhythms.later(row.renews_on, row.interval or row.frequency, row.interval_count * times) or resumes_on
    return None if resumes_on and row.ends_on and day >= row.ends_on else day


def _ends_on(row: Subscription, state: State) -> date | None:
    """Return the day on which a gift ended or will end; also one far ahead, until which it is charged."""
    if state == State.ENDED:
        return clock.day_of(row.ended_at) if row.ended_at else None
    return row.ends_on or (row.renews_on if state == State.ENDING else None)
