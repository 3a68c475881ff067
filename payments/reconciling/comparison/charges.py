"""Comparison of charges: the status and amount of each charge at Stripe with our payment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db.models import Min, Q

from payments.books import origins
from payments.models import Payment, Subscription
from payments.reconciling.comparison import seen
from payments.reconciling.comparison.kinds import ObjectKind, Page
from payments.reconciling.differences import EXTRA, MISSING, PAYMENT, STATUS, Mismatch, money
from payments.stripe_api import budget, client, lists, objects
from payments.stripe_api.reads import Reads

RECEIVED, WITH_BANK, FAILED = Payment.Status.SUCCEEDED, Payment.Status.PROCESSING, Payment.Status.FAILED
# Stripe's status of a charge, and the status that our payment should have.
STATES = {"succeeded": RECEIVED, "pending": WITH_BANK, "failed": FAILED}


class Row(NamedTuple):
    """The compared values of a payment. `amount` is in minor units of `currency`."""

    charge: str | None
    intent: str | None
    status: str
    amount: int
    currency: str


def _since(since: datetime) -> datetime:
    """Return an earlier start if a payment is still with the bank, which may answer weeks after a debit was made."""
    waiting = Payment.objects.filter(status=WITH_BANK)
    return min(since, waiting.aggregate(oldest=Min("created_at"))["oldest"] or since)


def compare_page(page: Page) -> list[Mismatch]:
    rows = _rows(page)
    found, unknown = [], []
    for charge in page:
        if row := rows.get(charge.id) or rows.get(charge.payment_intent):
            found += _differing(charge, row)
        elif charge.status != "failed":
            unknown.append(charge)
    missing = _ours(unknown) if unknown else []
    received = [charge for charge in missing if charge.status == "succeeded"]
    seen.mark(seen.MISSING, [id for charge in received for id in (charge.id, charge.payment_intent)])
    return found + [_mismatch(charge, MISSING, "", money(charge.amount, charge.currency)) for charge in missing]


def _rows(page: Page) -> dict[str, Row]:
    """Return our payments of a page of charges, by the ids of their charge and of their intent."""
    named = Q(stripe_charge_id__in=[charge.id for charge in page])
    named |= Q(stripe_payment_intent_id__in=[charge.payment_intent for charge in page if charge.payment_intent])
    fields = ("stripe_charge_id", "stripe_payment_intent_id", "status", "amount", "currency")
    rows = [Row(*values) for values in Payment.objects.filter(named).order_by().values_list(*fields)]
    return {name: row for row in rows for name in (row.intent, row.charge) if name}


def _differing(charge: objects.Charge, row: Row) -> list[Mismatch]:
    status = STATES.get(charge.status)
    if status is None:  # a state that Stripe added since: it says nothing that we could compare
        return []
    if status == row.status:
        ours = money(row.amount, row.currency)
        theirs = money(charge.amount, charge.currency)
        return [_mismatch(charge, "amount", ours, theirs)] if status == RECEIVED and ours != theirs else []
    if status == FAILED and not _is_final(charge, row):
        return []
    return [_mismatch(charge, STATUS, row.status, status)]


def _is_final(charge: objects.Charge, row: Row) -> bool:
    """Return whether our payment should be failed because this charge failed.

    For a payment recorded as received: only if this is its charge. Else the intent is read from Stripe: False while it
    is processing or has succeeded. Raises StripeUnavailable, StripeRefused.
    """
    if row.status == RECEIVED:
        return row.charge == charge.id
    intent = budget.read(partial(client.read_payment_intent, charge.payment_intent))
    return intent.status not in {"processing", "succeeded"}


def _ours(charges: list[objects.Charge]) -> list[objects.Charge]:
    """Return, of charges without a payment in our database, those of our checkouts and subscriptions."""
    customers = {charge.customer for charge in charges if charge.customer and not charge.checkout}
    known = Subscription.objects.filter(stripe_customer_id__in=customers).values_list("stripe_customer_id", flat=True)
    patrons = set(known) | seen.among(seen.CUSTOMER, customers)
    reads = Reads()
    return [charge for charge in charges if origins.led_here(charge, patrons.__contains__, reads)]


def _mismatch(charge: objects.Charge, field: str, ours: str, theirs: str) -> Mismatch:
    return Mismatch(PAYMENT, charge.id, field, str(ours), str(theirs), charge.created_at)


# Selected by when the payment was made: its charge is never older, so a list from then on must name it.
_RECEIVED_UNSEEN = f"""
SELECT stripe_charge_id, amount, currency, created_at FROM payments_payment p
WHERE status = 'succeeded' AND created_at BETWEEN %s AND %s AND stripe_charge_id IS NOT NULL
  AND {seen.UNSEEN.format(id="p.stripe_charge_id")}
"""  # noqa: S608 - our own words only


def _unlisted(since: datetime, until: datetime) -> Iterator[Mismatch]:
    for charge_id, amount, currency, created_at in seen.unseen(_RECEIVED_UNSEEN, [since, until]):
        yield Mismatch(PAYMENT, charge_id, EXTRA, money(amount, currency), "", created_at)


KIND = ObjectKind(PAYMENT, _since, lists.charges, compare_page, _unlisted, client.read_charge)
