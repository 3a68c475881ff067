"""The database refuses to change a ledger line, and refuses payments that cannot exist."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from payments.models import LedgerEntry, Payment
from tests import factories


@pytest.fixture
def line(db) -> LedgerEntry:
    payment = factories.payment()
    existing = LedgerEntry.objects.filter(payment=payment).first()
    return existing or LedgerEntry.objects.create(
        payment=payment,
        kind="charge",
        source="charge:ch_1",
        amount=payment.amount,
        currency=payment.currency,
        occurred_at=payment.paid_at,
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments_ledgerentry SET amount = 1",
        "UPDATE payments_ledgerentry SET source = source",
        "DELETE FROM payments_ledgerentry",
        "TRUNCATE payments_ledgerentry CASCADE",
    ],
)
def test_no_line_is_changed_or_removed(line: LedgerEntry, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    assert LedgerEntry.objects.get(pk=line.pk).amount == line.amount


def test_a_source_has_one_line(line: LedgerEntry) -> None:
    twin = LedgerEntry(
        payment=line.payment, kind="charge", source=line.source, amount=1, currency="EUR", occurred_at=line.occurred_at
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 0},
        {"currency": "eu"},
        {"refunded_amount": 10**9},
        {"paid_at": None},
        {"stripe_payment_intent_id": None, "stripe_invoice_id": None},
    ],
)
def test_the_database_refuses_a_payment_that_cannot_be(line: LedgerEntry, change: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.filter(pk=line.payment_id).update(**change)
