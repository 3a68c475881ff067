"""Differences between our books and Stripe's: written down once, seen again, gone, or settled by a person.

The comparison finds them; nothing here changes money. "Take Stripe's" asks for the same fresh read that events cause.
Values are plain text: an amount is minor units and code (`1000 EUR`), a moment ISO 8601, a state Stripe's word.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from payments.books import settlements
from payments.errors import AlreadySettled, NotYet
from payments.giving import lost_checkouts
from payments.inbox import queue
from payments.models import Difference, LedgerEntry, Payment, Reconciliation
from payments.stripe_api import client

log = logging.getLogger("hromada.reconciliation")

SUBSCRIPTION, PAYMENT, REFUND, DISPUTE = "subscription", "payment", "refund", "dispute"
BALANCE, PAYOUT = "balance_transaction", "payout"
# Not there on one side: we lack what Stripe has, or have what Stripe does not know.
MISSING, EXTRA, UNSETTLED = "missing", "extra", "unsettled"
STATUS, TAKEN, LINES = "status", "taken", "lines"
# What a fresh read brings into our books. Money rows are only added: one that is wrong can only be noted.
_TAKEABLE = {
    REFUND: (MISSING, STATUS),
    DISPUTE: (MISSING, STATUS, TAKEN),
    BALANCE: (MISSING,),
    PAYOUT: (MISSING, STATUS, LINES),
}
State = Difference.State


@dataclass(frozen=True)
class Mismatch:
    """One field of one object that Stripe says otherwise. `happened_at` is Stripe's time of the object."""

    kind: str
    stripe_id: str
    field: str
    ours: str
    theirs: str
    happened_at: datetime

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.stripe_id, self.field


def money(amount: int, currency: str) -> str:
    return f"{amount} {currency}"


def write_down(mismatches: Sequence[Mismatch]) -> None:
    """Open each, once; one that is open already is seen again. One noted with the same values stays noted."""
    if not mismatches:
        return
    now, known = timezone.now(), _known(mismatches)
    fresh = []
    for mismatch in mismatches:
        row = known.get(mismatch.key)
        if row is None or (row.state == State.NOTED and not _is_same(row, mismatch)):
            fresh.append(Difference(**mismatch.__dict__, found_at=now, seen_at=now))
            log.error("difference found: %s %s %s", *mismatch.key)
        else:
            values = {"ours": mismatch.ours, "theirs": mismatch.theirs, "happened_at": mismatch.happened_at}
            Difference.objects.filter(pk=row.pk).update(**values, seen_at=now)
    Difference.objects.bulk_create(fresh, ignore_conflicts=True)


def let_go(run: Reconciliation, looked_since: Mapping[str, datetime]) -> int:
    """Close what this whole run looked for and did not find again; returns how many. `looked_since` says how far back
    it looked for each kind.

    Also what a person left with a note: when the same comes again, it is new, and shown. Their note and name stay.
    """
    looked_for = Q()
    for kind, since in looked_since.items():
        looked_for |= Q(kind=kind, happened_at__gte=since)
    unseen = Difference.objects.filter(looked_for, seen_at__lt=run.started_at)
    noted = unseen.filter(state=State.NOTED).update(state=State.GONE)
    return noted + unseen.filter(state=State.OPEN).update(state=State.GONE, settled_at=timezone.now())


def open_since() -> datetime | None:
    """How far back the next comparison must look to meet what is open, or was taken since the last one."""
    last = Reconciliation.objects.filter(kind=Reconciliation.Kind.OBJECTS, error="").exclude(finished_at=None).first()
    rows = Difference.objects.filter(state=State.OPEN)
    if last:
        rows = rows | Difference.objects.filter(state=State.TAKEN, settled_at__gte=last.started_at)
    return rows.order_by("happened_at").values_list("happened_at", flat=True).first()


def can_take(difference: Difference) -> bool:
    """Whether reading the object again can bring our books to what Stripe says."""
    if difference.kind == SUBSCRIPTION:
        return difference.field != EXTRA
    if difference.kind == PAYMENT:
        # Money that was received stays received: Stripe takes it back with a refund or a dispute.
        return difference.field == MISSING or (difference.field == STATUS and difference.ours != _RECEIVED)
    return difference.field in _TAKEABLE.get(difference.kind, ())


_RECEIVED = Payment.Status.SUCCEEDED.value


def take(difference: Difference, actor: User) -> None:
    """Have Stripe's side read into our books, through the same queue and rules as its events; the difference is taken.

    The next comparison looks whether that was enough. Raises AlreadySettled, StripeUnavailable, StripeRefused, and
    NotYet when Stripe's balance has no line to take. Never call it inside a transaction.
    """
    if difference.state != State.OPEN or not can_take(difference):
        raise AlreadySettled(difference.pk)
    if difference.kind == BALANCE:
        _take_balance(difference.stripe_id)
    elif difference.kind == PAYMENT:
        _take_payment(difference.stripe_id)
    else:
        if difference.kind == SUBSCRIPTION and difference.field == MISSING:
            agreed = client.read_subscription(difference.stripe_id)
            lost_checkouts.bring_back(agreed.checkout, {"subscription": agreed.id})
        queue.request_sync(difference.kind, difference.stripe_id)
    _settle(difference, State.TAKEN, actor)


def note(difference: Difference, actor: User, why: str) -> None:
    """Leave it as it is, for a reason. It is not shown again unless a value changes, also if that changes back later.

    Raises AlreadySettled.
    """
    _settle(difference, State.NOTED, actor, why.strip())


@transaction.atomic
def _settle(difference: Difference, state: State, actor: User, why: str = "") -> None:
    held = Difference.objects.select_for_update().get(pk=difference.pk)
    if held.state != State.OPEN:
        raise AlreadySettled(held.pk)
    held.state, held.settled_at, held.settled_by, held.note = state, timezone.now(), actor, why
    held.save(update_fields=["state", "settled_at", "settled_by", "note"])
    log.info("difference.settled difference=%s state=%s actor=%s", held.pk, state.value, actor.pk)


def _take_payment(charge_id: str) -> None:
    """A gift given once is told by its intent, an instalment by its invoice. A checkout that is gone comes first."""
    charge = client.read_charge(charge_id)
    if charge.checkout:
        lost_checkouts.bring_back(charge.checkout, {"payment_intent": charge.payment_intent})
        queue.request_sync("payment_intent", charge.payment_intent, charge.customer)
    else:
        invoice = client.read_invoice(client.invoice_of(charge.payment_intent))
        lost_checkouts.bring_back(invoice.checkout, {"subscription": invoice.subscription})
        queue.request_sync("invoice", invoice.id, charge.customer)


def _take_balance(transaction_id: str) -> None:
    transaction_read = client.read_balance_transaction(transaction_id)
    source = settlements.source_of(transaction_read)
    if LedgerEntry.objects.filter(source=source).exists():
        settlements.collect()
        if not LedgerEntry.objects.filter(source=f"balance_transaction:{transaction_id}").exists():
            raise NotYet(transaction_id)
    elif source.startswith(("charge:", "failed:")):
        _take_payment(transaction_read.source)
    else:
        queue.request_sync(DISPUTE if source.startswith("dispute") else REFUND, transaction_read.source)


def _known(mismatches: Sequence[Mismatch]) -> dict[tuple[str, str, str], Difference]:
    """The open or noted rows about the same fields; an open one counts before a noted one."""
    ids = {mismatch.stripe_id for mismatch in mismatches}
    rows = Difference.objects.filter(stripe_id__in=ids, state__in=(State.OPEN, State.NOTED)).order_by("pk")
    found: dict[tuple[str, str, str], Difference] = {}
    for row in sorted(rows, key=lambda row: row.state == State.OPEN):
        found[row.kind, row.stripe_id, row.field] = row
    return found


def _is_same(row: Difference, mismatch: Mismatch) -> bool:
    return (row.ours, row.theirs) == (mismatch.ours, mismatch.theirs)
