"""Received money: each charge at Stripe and the payment it made with us, state and amount."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import Min, Q

from payments.books import origins
from payments.models import Payment, Subscription
from payments.reconciling.comparison import seen
from payments.reconciling.comparison.kinds import ObjectKind, Page
from payments.reconciling.differences import EXTRA, MISSING, PAYMENT, STATUS, Mismatch, money
from payments.stripe_api import client, lists, objects
from payments.stripe_api.budget import budget
from payments.stripe_api.reads import Reads

RECEIVED, WITH_BANK, FAILED = Payment.Status.SUCCEEDED, Payment.Status.PROCESSING, Payment.Status.FAILED
# Stripe's word for a charge, and ours for its payment.
STATES = {"succeeded": RECEIVED, "pending": WITH_BANK, "failed": FAILED}


class Row(NamedTuple):
    charge: str | None
    intent: str | None
    status: str
    amount: int
    currency: str


def _since(since: datetime) -> datetime:
    """A bank may answer weeks after a debit was made."""
    waiting = Payment.objects.filter(status=WITH_BANK)
    return min(since, waiting.aggregate(oldest=Min("created_at"))["oldest"] or since)


def look(page: Page) -> list[Mismatch]:
    rows = _rows(page)
    found, unknown = [], []
    for charge in page:
        if row := rows.get(charge.id) or rows.get(charge.payment_intent):
            found += _differing(charge, row)
        elif charge.status != "failed":
            unknown.append(charge)
    lacked = _ours(unknown) if unknown else []
    arrived = [charge for charge in lacked if charge.status == "succeeded"]
    seen.mark(seen.LACKED, [id for charge in arrived for id in (charge.id, charge.payment_intent)])
    return found + [_mismatch(charge, MISSING, "", money(charge.amount, charge.currency)) for charge in lacked]


def _rows(page: Page) -> dict[str, Row]:
    named = Q(stripe_charge_id__in=[charge.id for charge in page])
    named |= Q(stripe_payment_intent_id__in=[charge.payment_intent for charge in page if charge.payment_intent])
    fields = ("stripe_charge_id", "stripe_payment_intent_id", "status", "amount", "currency")
    rows = [Row(*values) for values in Payment.objects.filter(named).order_by().values_list(*fields)]
    return {name: row for row in rows for name in (row.intent, row.charge) if name}


def _differing(charge: objects.Charge, row: Row) -> list[Mismatch]:
    theirs = STATES[charge.status]
    if theirs == row.status:
        ours, taken = money(row.amount, row.currency), money(charge.amount, charge.currency)
        return [_mismatch(charge, "amount", ours, taken)] if theirs == RECEIVED and ours != taken else []
    if theirs == FAILED and not _is_last_word(charge, row):
        return []
    return [_mismatch(charge, STATUS, row.status, theirs)]


def _is_last_word(charge: objects.Charge, row: Row) -> bool:
    """One failed try is no failed payment while the next one is under way or has succeeded."""
    if row.status == RECEIVED:
        return row.charge == charge.id
    budget.wait()
    return client.read_payment_intent(charge.payment_intent).status not in {"processing", "succeeded"}


def _ours(charges: list[objects.Charge]) -> list[objects.Charge]:
    """Return, of charges without a payment in our database, those of our checkouts and subscriptions."""
    customers = {charge.customer for charge in charges if charge.customer and not charge.checkout}
    known = Subscription.objects.filter(stripe_customer_id__in=customers).values_list("stripe_customer_id", flat=True)
    patrons = set(known) | seen.among(seen.CUSTOMER, customers)
    reads = Reads()
    return [charge for charge in charges if origins.led_here(charge, patrons.__contains__, reads)]


def _mismatch(charge: objects.Charge, field: str, ours: str, theirs: str) -> Mismatch:
    return Mismatch(PAYMENT, charge.id, field, str(ours), str(theirs), charge.created_at)


# By the day the payment was made: its charge is never older, so a list from then on must name it.
_RECEIVED_UNSEEN = f"""
SELECT stripe_charge_id, amount, currency, created_at FROM payments_payment p
WHERE status = 'succeeded' AND created_at BETWEEN %s AND %s AND stripe_charge_id IS NOT NULL
  AND {seen.UNSEEN.format(id="p.stripe_charge_id")}
"""  # noqa: S608 - our own words only


def _extra(since: datetime, until: datetime) -> Iterator[Mismatch]:
    for charge_id, amount, currency, created_at in seen.unseen(_RECEIVED_UNSEEN, [since, until]):
        yield Mismatch(PAYMENT, charge_id, EXTRA, money(amount, currency), "", created_at)


KIND = ObjectKind(PAYMENT, _since, lists.charges, look, _extra, client.read_charge)
