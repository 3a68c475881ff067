"""Many new gifts recorded together leave the rows that the ledger leaves when it is told of them one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from members.models import Message, Supporter
from payments.books import ledger, new_gifts
from payments.letters import gifts as gift_letters
from payments.models import Case, Checkout, LedgerEntry, Payment
from payments.stripe_api.objects import PaymentIntent
from tests import factories

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def intent_for(checkout: Checkout, **values: Any) -> PaymentIntent:
    ordinary = {
        "id": f"pi_{checkout.reference}",
        "customer": f"cus_{checkout.reference}",
        "checkout": str(checkout.public_id),
        "status": "succeeded",
        "amount": checkout.amount,
        "currency": checkout.currency,
        "charge": f"ch_{checkout.reference}",
        "method": "Visa 4242",
        "error_code": "",
        "created_at": NOON,
        "paid_at": NOON,
    }
    return PaymentIntent(**{**ordinary, **values})


def once(email: str, amount: int = 1000, **values: Any) -> Checkout:
    return factories.checkout(frequency="once", email=email, amount=amount, **values)


def crowd() -> list[PaymentIntent]:
    """Plain gifts, and one of each kind that is not plain."""
    appeal = factories.campaign_with_appeal().appeals.get()
    gifts = [once(f"reader{number}@example.org", name="Ivan", language="uk") for number in range(4)]
    gifts.append(once("appealed@example.org", campaign=appeal.campaign, appeal=appeal, article="a-story"))
    gifts += [once("Twice@example.org"), once("twice@EXAMPLE.org")]
    factories.payment(factories.supporter(email="known@example.org", name=""), created_at=NOON)
    gifts.append(once("known@example.org", name="Known"))
    told = [intent_for(checkout) for checkout in gifts]
    told.append(intent_for(once("more@example.org"), amount=1500))
    told += [intent_for(once("bank@example.org"), status="processing"), intent_for(once("no@example.org"), charge="")]
    debit = intent_for(once("debit@example.org"), status="processing", charge="")
    ledger.record_gift(debit)
    arrived = intent_for(Checkout.objects.get(public_id=debit.checkout))
    told += [arrived, intent_for(once("declined@example.org"), status="requires_payment_method", error_code="lost")]
    return [*told, told[0]]


def left_by(tell: Callable[[list[PaymentIntent]], None], told: list[PaymentIntent]) -> dict[str, Any]:
    """What this way of telling leaves in the books; undone afterwards."""
    with transaction.atomic():
        tell(told)
        found = {
            "payments": rows(Payment, "checkout__reference", "supporter__email", "public_id", "id", "supporter_id"),
            "ledger": rows(LedgerEntry, "payment__stripe_payment_intent_id", "id", "payment_id", "recorded_at"),
            "supporters": rows(Supporter, "name", "id", "public_id", "created_at"),
            "checkouts": rows(Checkout, "supporter__email", "supporter_id"),
            "letters": rows(Message, "supporter__email", "id", "supporter_id", "created_at", "next_try_at"),
            "cases": rows(Case, "supporter__email", "id", "key", "facts", "supporter_id", "opened_at"),
        }
        transaction.set_rollback(True)
    return found


def rows(model: Any, also: str, *left_out: str) -> list[str]:
    fields = [field.attname for field in model._meta.concrete_fields if field.attname not in left_out]
    return sorted(str(row) for row in model.objects.values(*fields, also))


def together(told: list[PaymentIntent]) -> None:
    recorded = new_gifts.record(told)
    for intent in told:
        if intent not in recorded:
            ledger.record_gift(intent)


def one_by_one(told: list[PaymentIntent]) -> None:
    for intent in told:
        ledger.record_gift(intent)


def test_together_or_one_by_one_leaves_the_same_rows() -> None:
    told = crowd()
    expected, found = left_by(one_by_one, told), left_by(together, told)
    for kind, rows_expected in expected.items():
        assert found[kind] == rows_expected, kind
    assert len(expected["payments"]) == 13
    assert len(expected["cases"]) == 3
    assert len(expected["letters"]) >= 12


def test_most_are_recorded_together_and_asked_about_in_few_statements(django_assert_max_num_queries: Any) -> None:
    told = [intent_for(once(f"reader{number}@example.org")) for number in range(50)]
    with django_assert_max_num_queries(10):
        assert new_gifts.record(told) == set(told)
    assert Payment.objects.count() == LedgerEntry.objects.count() == Message.objects.count() == 50


def test_told_again_nothing_happens() -> None:
    told = [intent_for(once(f"reader{number}@example.org")) for number in range(3)]
    new_gifts.record(told)
    assert new_gifts.record(told) == set()
    together(told)
    assert Payment.objects.count() == LedgerEntry.objects.count() == Message.objects.count() == 3


def test_a_checkout_that_is_not_ours_is_left_to_the_ledger() -> None:
    ours = intent_for(once("reader@example.org"))
    strangers = [replace(ours, id=f"pi_{name}", checkout=name) for name in ("", "cart-7", str(uuid4()))]
    assert new_gifts.record([*strangers, ours]) == {ours}
    gift_letters.thank_once([])
    assert Message.objects.count() == 1
