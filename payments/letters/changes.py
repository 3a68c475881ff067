"""Letters about a recurring gift that goes on differently: paused, resumed, another amount.

Each is owed once for what it tells, in the transaction of its cause; what they share with all others is emails.py's.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import QuerySet, Value
from django.db.models.functions import TruncDate

from members import clock
from members.models import Message
from payments.letters import drafts
from payments.letters.due import DueLetter, unless_sent
from payments.models import Subscription, SubscriptionChange

SOON = 5  # days before a pause ends
KIND = "resume_soon"


def announce(row: Subscription, was: Subscription) -> None:
    """Tell the supporter of what a fresh read of Stripe's object has changed. One that ends is told of that alone."""
    if row.is_stopping or not row.is_alive:
        return
    if row.collection_paused and (was.is_stopping or not was.collection_paused):
        paused(row)
    elif not row.collection_paused and (was.is_stopping or _was_to_rest_longer(was)):
        resumed(row)
    if (row.amount, row.frequency) != (was.amount, was.frequency):
        plan_changed(row, was)


def _was_to_rest_longer(was: Subscription) -> bool:
    """A pause that ends on its day was announced before, and its receipt follows."""
    return was.collection_paused and (was.resumes_at is None or clock.today() < clock.day_of(was.resumes_at))


def paused(row: Subscription) -> Message | None:
    """Nothing is charged for a while; also after a stop that was taken back meanwhile. Once a wish, or a day of it."""
    return drafts.send("paused", _cause(row), row, _facts(row))


def resumed(row: Subscription) -> Message | None:
    """A stop or a pause was taken back: what was charged no more is charged again. Once a wish, or a day of it."""
    facts = {**_facts(row), "renews_on": row.renews_on.isoformat()}
    return drafts.send("resumed", _cause(row), row, facts)


def plan_changed(row: Subscription, was: Subscription) -> Message | None:
    """Another amount or rhythm, from the next payment on, whose day nobody knows during a pause; who gives more as
    often as before is thanked for it. Once a wish, or a day, and the gift that it is now.
    """
    is_more = row.frequency == was.frequency and row.amount > was.amount
    next_one = {"rests": "paused"} if row.collection_paused else {"renews_on": row.renews_on.isoformat()}
    is_behind = row.status == Subscription.Status.PAST_DUE
    facts = {**_facts(row), **next_one, "amount_before": was.amount, "is_behind": is_behind}
    kind = "thanks_upgrade" if is_more else "plan_changed"
    return drafts.send(kind, f"{_cause(row)}:{row.amount}:{row.frequency}", row, facts)


def resume_soon(row: Subscription) -> Message:
    """A pause ends in some days. Once a subscription and its end. A draft: owed with others."""
    assert row.resumes_at is not None  # noqa: S101 - only pauses that end are due
    resumes_on = clock.day_of(row.resumes_at)
    # A period that ends before is paused too; the day after it is Stripe's to say.
    charged = {"charged_on": row.renews_on.isoformat()} if row.renews_on >= resumes_on else {}
    return drafts.draft(KIND, f"{row.public_id}:{resumes_on}", row, _facts(row) | charged)


def _paused_ones(_today: date) -> QuerySet[Subscription]:
    return Subscription.objects.alive().filter(collection_paused=True, cancel_at_period_end=False, cancel_at=None)


def _due(today: date) -> QuerySet[Subscription]:
    """Paused ones that resume within five days; after that day nothing is left to say."""
    rows = (
        _paused_ones(today)
        .annotate(resumes_on=TruncDate("resumes_at"))
        .filter(resumes_on__gt=today, resumes_on__lte=today + timedelta(days=SOON))
        .select_related("supporter", "checkout")
        .order_by("resumes_on", "pk")
    )
    return unless_sent(rows, Value(KIND), "public_id", "resumes_on")


def _cause(row: Subscription) -> str:
    """The wish of ours that the gift answers now, so that each of several on a day is told; else the day."""
    wishes = row.changes.filter(state__in=SubscriptionChange.UNSEEN)
    wish = next((each for each in wishes if each.is_shown_by(row)), None)
    return f"{row.public_id}:{wish.public_id if wish else clock.today()}"


def _facts(row: Subscription) -> drafts.Facts:
    facts = {**drafts.gift(row), "stop_url": drafts.stop_url(row, row.supporter.language)}
    return facts | ({"resumes_on": str(clock.day_of(row.resumes_at))} if row.resumes_at else {})


RESUMING = DueLetter(KIND, _paused_ones, _due, lambda row, _today: resume_soon(row))
