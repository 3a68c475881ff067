"""Emails about a recurring gift that continues with other terms: paused, resumed, another amount; a pause ends soon.

Each is queued once per cause, in the transaction of its cause, by recurring/subscriptions.py; the last one by the
daily jobs through due.py.
"""

from __future__ import annotations

from copy import copy
from datetime import date, timedelta

from django.db.models import QuerySet, Value
from django.db.models.functions import TruncDate

from members import clock
from members.models import Message
from payments.accounts import account as accounts
from payments.accounts import under_way
from payments.letters import drafts
from payments.letters.due import DueLetter, by_account, unless_sent
from payments.models import Subscription, SubscriptionChange

SOON = 5  # days before a pause ends
KIND = "resume_soon"


def announce(row: Subscription, was: Subscription) -> None:
    """Queue emails about the differences between a freshly read subscription and the row as it `was` before.

    Queues nothing if the gift has ended or is set to stop: endings.py emails about that.
    """
    if row.is_stopping or not row.is_alive:
        return
    if row.is_resting and (was.is_stopping or not was.is_resting):
        if not _is_held(row, SubscriptionChange.Kind.PAUSE):
            paused(row)
    elif not row.is_resting and (was.is_stopping or _is_pause_cut_short(was)):
        resumed(row)
    has_other_plan = (row.amount, row.rhythm) != (was.amount, was.rhythm)
    if has_other_plan and not _is_held(row, SubscriptionChange.Kind.AMOUNT):
        plan_changed(row, was)


def tell(row: Subscription, change: SubscriptionChange) -> None:
    """Queue the email about a pause or a lower amount that `announce` has left out: it knows now what is under way.

    Does nothing if the gift, as last read from Stripe, does not show the change. Idempotent.
    """
    if row.is_stopping or not row.is_alive or not change.is_shown_by(row):
        return
    if change.kind == SubscriptionChange.Kind.PAUSE:
        paused(row, change)
    elif change.kind == SubscriptionChange.Kind.AMOUNT:
        was = copy(row)
        was.amount = change.amount_before or row.amount
        plan_changed(row, was, change)


def _is_held(row: Subscription, kind: SubscriptionChange.Kind) -> bool:
    """Return whether the email waits until recurring/bills.py has found out what may still be taken: it tells then."""
    requests = row.changes.filter(kind=kind, state__in=SubscriptionChange.UNSEEN, has_bills_to_check=True)
    return any(request.is_shown_by(row) for request in requests)


def _is_pause_cut_short(was: Subscription) -> bool:
    """Return whether a pause ended before its day. One that ends on its day was announced, and a receipt follows."""
    return was.is_resting and (was.resumes_at is None or clock.today() < clock.day_of(was.resumes_at))


def paused(row: Subscription, change: SubscriptionChange | None = None) -> Message | None:
    """Queue the email that nothing is charged for a while; also when a stop was replaced by a pause.

    It names what is under way. Once per change request, or per day without one. Return the new message, or None if it
    exists.
    """
    facts = {**_facts(row), "under_way": under_way.facts(row)}
    return drafts.send("paused", _cause(row, change), row, facts)


def resumed(row: Subscription) -> Message | None:
    """Queue the email that a stop or pause was undone and the gift is charged again.

    Once per change request, or per day without one. Return the new message, or None if it exists.
    """
    account = accounts.of(row)
    facts = {**_facts(row), **drafts.varies(row), "renews_on": (account.next_on or row.renews_on).isoformat()}
    bills = {"under_way": [bill.facts() for bill in account.due]} if account.due else {}
    return drafts.send("resumed", _cause(row), row, facts | bills)


def plan_changed(row: Subscription, was: Subscription, change: SubscriptionChange | None = None) -> Message | None:
    """Queue the email about another amount or frequency, or the thanks (`thanks_upgrade`) for a higher amount.

    It names the next payment, unless the gift is paused, when its day is unknown, and what is still taken as before.
    Once per change request, or per day without one, and per amount and frequency. Return the new message, or None if
    it exists.
    """
    is_more = row.rhythm == was.rhythm and row.amount > was.amount > 0
    account = accounts.of(row)
    announced = {"renews_on": (account.next_on or row.renews_on).isoformat(), **drafts.varies(row)}
    next_payment = {"rests": "paused"} if row.is_resting or account.state == accounts.State.PAUSED else announced
    is_behind = row.status == Subscription.Status.PAST_DUE
    bills = [bill.facts() for bill in account.under_way if bill.state != under_way.AGAIN]
    facts = {**_facts(row), **next_payment, "amount_before": was.amount, "is_behind": is_behind, "under_way": bills}
    kind = "thanks_upgrade" if is_more else "plan_changed"
    return drafts.send(kind, f"{_cause(row, change)}:{row.amount}:{row.rhythm}", row, facts)


def resume_soon(account: accounts.Account) -> Message | None:
    """Build the email that a pause ends soon, without queueing it. Needs `resumes_at`.

    Its key names subscription and day, so that it is queued once. None if the gift is not paused until that day, by a
    request that Stripe has accepted since.
    """
    row = account.subscription
    assert row.resumes_at is not None  # noqa: S101 - only pauses that end are due
    resumes_on = clock.day_of(row.resumes_at)
    if account.resumes_on != resumes_on:
        return None
    charged = {"charged_on": account.next_on.isoformat()} if account.next_on else {}
    varies = {} if row.is_sum_sure else {"sum_varies": True}
    facts = _facts(row) | {"amount": account.amount} | varies | charged
    return drafts.draft(KIND, f"{row.public_id}:{resumes_on}", row, facts)


def _paused_ones(_today: date) -> QuerySet[Subscription]:
    return Subscription.objects.alive().going_on().filter(collection_paused=True)


def _due(today: date) -> QuerySet[Subscription]:
    """Return paused gifts that resume within the next five days, not counting today."""
    rows = (
        _paused_ones(today)
        .annotate(resumes_on=TruncDate("resumes_at"))
        .filter(resumes_on__gt=today, resumes_on__lte=today + timedelta(days=SOON))
        .select_related("supporter", "checkout")
        .order_by("resumes_on", "pk")
    )
    return unless_sent(rows, Value(KIND), "public_id", "resumes_on")


def _cause(row: Subscription, change: SubscriptionChange | None = None) -> str:
    """Return the part of the key that names the cause: our change request that the gift now confirms, else the day.

    `change` is the request if the caller knows it. So several requests on one day each cause an email, and a change
    made at Stripe causes one per day.
    """
    requests = [change] if change else row.changes.filter(state__in=SubscriptionChange.UNSEEN)
    confirmed = next((request for request in requests if request.is_shown_by(row)), None)
    return f"{row.public_id}:{confirmed.public_id if confirmed else clock.today()}"


def _facts(row: Subscription) -> drafts.Facts:
    facts = {**drafts.gift(row), "stop_url": drafts.stop_url(row, row.supporter.language)}
    return facts | ({"resumes_on": str(clock.day_of(row.resumes_at))} if row.resumes_at else {})


RESUMING = DueLetter(KIND, _paused_ones, _due, by_account(lambda account, _today: resume_soon(account)))
