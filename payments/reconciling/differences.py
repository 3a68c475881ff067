"""Differences between our database and Stripe: recorded once, seen again, closed when gone, or closed by a person.

The comparison (comparison/) records them, the desk closes them. Nothing here changes money: to accept Stripe's value is
to queue a read of the object, as its events do. Values are plain text: an amount is minor units and a currency code
(`1000 EUR`), a moment ISO 8601, a state Stripe's word.
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
from payments.errors import AlreadyClosed, NotYet
from payments.giving import lost_checkouts
from payments.inbox import queue
from payments.models import Difference, LedgerEntry, Payment, Reconciliation
from payments.stripe_api import client

log = logging.getLogger("hromada.reconciliation")

SUBSCRIPTION, PAYMENT, REFUND, DISPUTE = "subscription", "payment", "refund", "dispute"
BALANCE, PAYOUT = "balance_transaction", "payout"
# Fields for an object as a whole: missing from our database, unknown to Stripe, or without a settlement.
MISSING, EXTRA, UNSETTLED = "missing", "extra", "unsettled"
STATUS, TAKEN, LINES = "status", "taken", "lines"
# The fields that reading the object again can bring in line. Ledger lines are only added, so a wrong one can only be
# left with a note.
_TAKEABLE = {
    REFUND: (MISSING, STATUS),
    DISPUTE: (MISSING, STATUS, TAKEN),
    BALANCE: (MISSING,),
    PAYOUT: (MISSING, STATUS, LINES),
}
State = Difference.State


@dataclass(frozen=True)
class Mismatch:
    """A field of an object with two values: `ours`, in our database, and `theirs`, at Stripe.

    An empty value means that the object does not exist there. `happened_at` is Stripe's time of the object.
    """

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
    """Return an amount in minor units as text, such as `1000 EUR`."""
    return f"{amount} {currency}"


def record(mismatches: Sequence[Mismatch]) -> None:
    """Record each mismatch as an open difference, once; if it is open already, update its values and when it was seen.

    A difference that a person left with a note stays closed as long as both values are the same. Idempotent.
    """
    if not mismatches:
        return
    now = timezone.now()
    known = _known(mismatches)
    new = []
    for mismatch in mismatches:
        row = known.get(mismatch.key)
        if row is None or (row.state == State.NOTED and not _is_same(row, mismatch)):
            new.append(Difference(**mismatch.__dict__, found_at=now, seen_at=now))
            log.error("difference found: %s %s %s", *mismatch.key)
        else:
            values = {"ours": mismatch.ours, "theirs": mismatch.theirs, "happened_at": mismatch.happened_at}
            Difference.objects.filter(pk=row.pk).update(**values, seen_at=now)
    Difference.objects.bulk_create(new, ignore_conflicts=True)


def close_gone(run: Reconciliation, looked_since: Mapping[str, datetime]) -> int:
    """Close the differences that a complete run looked for and did not find again; return how many.

    `looked_since` holds, for each kind, the time back to which the run looked. A difference that a person left with a
    note is closed too, and keeps their note and name: if it comes back, it is new and shown again.
    """
    looked_for = Q()
    for kind, since in looked_since.items():
        looked_for |= Q(kind=kind, happened_at__gte=since)
    unseen = Difference.objects.filter(looked_for, seen_at__lt=run.started_at)
    noted = unseen.filter(state=State.NOTED).update(state=State.GONE)
    return noted + unseen.filter(state=State.OPEN).update(state=State.GONE, settled_at=timezone.now())


def open_since() -> datetime | None:
    """Return the oldest `happened_at` of the differences that the next comparison must check again, or None.

    Those are the open ones, and the ones for which Stripe's value was accepted since the last complete comparison.
    """
    last = Reconciliation.objects.filter(kind=Reconciliation.Kind.OBJECTS, error="").exclude(finished_at=None).first()
    rows = Difference.objects.filter(state=State.OPEN)
    if last:
        rows = rows | Difference.objects.filter(state=State.TAKEN, settled_at__gte=last.started_at)
    return rows.order_by("happened_at").values_list("happened_at", flat=True).first()


def can_take(difference: Difference) -> bool:
    """Return whether reading the object from Stripe again can make our value the same as Stripe's."""
    if difference.kind == SUBSCRIPTION:
        return difference.field != EXTRA
    if difference.kind == PAYMENT:
        # A received payment stays received: at Stripe its money goes back by a refund or a dispute.
        return difference.field == MISSING or (difference.field == STATUS and difference.ours != _RECEIVED)
    return difference.field in _TAKEABLE.get(difference.kind, ())


_RECEIVED = Payment.Status.SUCCEEDED.value


def take(difference: Difference, actor: User) -> None:
    """Accept Stripe's value: queue a read of the object, and close the difference as taken by `actor`.

    Restores a lost checkout first. A balance line whose ledger line exists is settled immediately instead of read. The
    next comparison checks the result. Never call it inside a transaction. Raises AlreadyClosed (closed, or `can_take`
    is False), StripeUnavailable, StripeRefused (StripeMissing if the object or the session is deleted), and NotYet if
    the settlement cannot be recorded.
    """
    if difference.state != State.OPEN or not can_take(difference):
        raise AlreadyClosed(difference.pk)
    if difference.kind == BALANCE:
        _take_balance(difference.stripe_id)
    elif difference.kind == PAYMENT:
        _take_payment(difference.stripe_id)
    else:
        if difference.kind == SUBSCRIPTION and difference.field == MISSING:
            agreed = client.read_subscription(difference.stripe_id)
            lost_checkouts.bring_back(agreed.checkout, {"subscription": agreed.id})
        queue.request_sync(difference.kind, difference.stripe_id)
    _close(difference, State.TAKEN, actor)


def note(difference: Difference, actor: User, why: str) -> None:
    """Close the difference with a note, leaving both values as they are.

    It is shown again only if a value changes, even if it changes back later. Raises AlreadyClosed.
    """
    _close(difference, State.NOTED, actor, why.strip())


@transaction.atomic
def _close(difference: Difference, state: State, actor: User, why: str = "") -> None:
    row = Difference.objects.select_for_update().get(pk=difference.pk)
    if row.state != State.OPEN:
        raise AlreadyClosed(row.pk)
    row.state = state
    row.settled_at = timezone.now()
    row.settled_by = actor
    row.note = why
    row.save(update_fields=["state", "settled_at", "settled_by", "note"])
    log.info("difference.settled difference=%s state=%s actor=%s", row.pk, state.value, actor.pk)


def _take_payment(charge_id: str) -> None:
    """Queue a read of the payment of a charge: a one-off gift by its intent, an instalment by its invoice.

    A checkout whose row is missing, as after a restored backup, is restored first.
    """
    charge = client.read_charge(charge_id)
    if charge.checkout:
        lost_checkouts.bring_back(charge.checkout, {"payment_intent": charge.payment_intent})
        queue.request_sync("payment_intent", charge.payment_intent, charge.customer)
    else:
        invoice = client.read_invoice(client.invoice_of(charge.payment_intent))
        lost_checkouts.bring_back(invoice.checkout, {"subscription": invoice.subscription})
        queue.request_sync("invoice", invoice.id, charge.customer)


def _take_balance(transaction_id: str) -> None:
    """Record a balance line, or queue a read of the payment, refund or dispute that it belongs to.

    Raises NotYet if our ledger line exists but gets its settlement from another balance line.
    """
    line = client.read_balance_transaction(transaction_id)
    source = settlements.source_of(line)
    if LedgerEntry.objects.filter(source=source).exists():
        settlements.collect()
        if not LedgerEntry.objects.filter(source=f"balance_transaction:{transaction_id}").exists():
            raise NotYet(transaction_id)
    elif source.startswith(("charge:", "failed:")):
        _take_payment(line.source)
    elif not settlements.book_dispute_fees([line]):
        queue.request_sync(REFUND if source.startswith("refund") else DISPUTE, line.source)


def _known(mismatches: Sequence[Mismatch]) -> dict[tuple[str, str, str], Difference]:
    """Return the open or noted rows about these fields, by `Mismatch.key`; an open one rather than a noted one."""
    ids = {mismatch.stripe_id for mismatch in mismatches}
    rows = Difference.objects.filter(stripe_id__in=ids, state__in=(State.OPEN, State.NOTED)).order_by("pk")
    found: dict[tuple[str, str, str], Difference] = {}
    for row in sorted(rows, key=lambda row: row.state == State.OPEN):
        found[row.kind, row.stripe_id, row.field] = row
    return found


def _is_same(row: Difference, mismatch: Mismatch) -> bool:
    return (row.ours, row.theirs) == (mismatch.ours, mismatch.theirs)
