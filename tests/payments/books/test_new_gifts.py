"""Recording many new gifts together leaves the same rows as recording them one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from members.models import Message, Supporter
from payments.books import gifts, new_gifts
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
    """Return the intents of ordinary gifts, and one of each kind that is not ordinary."""
    appeal = factories.campaign_with_appeal().appeals.get()
    begun = [once(f"reader{number}@example.org", name="Ivan", language="uk") for number in range(4)]
    begun.append(once("appealed@example.org", campaign=appeal.campaign, appeal=appeal, article="a-story"))
    begun += [once("Twice@example.org"), once("twice@EXAMPLE.org")]
    factories.payment(factories.supporter(email="known@example.org", name=""), created_at=NOON)
    begun.append(once("known@example.org", name="Known"))
    intents = [intent_for(checkout) for checkout in begun]
    intents.append(intent_for(once("more@example.org"), amount=1500))
    intents += [
        intent_for(once("bank@example.org"), status="processing"),
        intent_for(once("no@example.org"), charge=""),
    ]
    debit = intent_for(once("debit@example.org"), status="processing", charge="")
    gifts.record_gift(debit)
    arrived = intent_for(Checkout.objects.get(public_id=debit.checkout))
    intents += [arrived, intent_for(once("declined@example.org"), status="requires_payment_method", error_code="lost")]
    return [*intents, intents[0]]


def left_by(record: Callable[[list[PaymentIntent]], None], intents: list[PaymentIntent]) -> dict[str, Any]:
    """Record the intents in this way and return the rows that it leaves; then roll back."""
    with transaction.atomic():
        record(intents)
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


def together(intents: list[PaymentIntent]) -> None:
    recorded = new_gifts.record(intents)
    for intent in intents:
        if intent not in recorded:
            gifts.record_gift(intent)


def one_by_one(intents: list[PaymentIntent]) -> None:
    for intent in intents:
        gifts.record_gift(intent)


def test_together_or_one_by_one_leaves_the_same_rows() -> None:
    intents = crowd()
    expected, found = left_by(one_by_one, intents), left_by(together, intents)
    for kind, rows_expected in expected.items():
        assert found[kind] == rows_expected, kind
    assert len(expected["payments"]) == 13
    assert len(expected["cases"]) == 3
    assert len(expected["letters"]) >= 12


def test_most_are_recorded_together_and_asked_about_in_few_statements(django_assert_max_num_queries: Any) -> None:
    intents = [intent_for(once(f"reader{number}@example.org")) for number in range(50)]
    with django_assert_max_num_queries(10):
        assert new_gifts.record(intents) == set(intents)
    assert Payment.objects.count() == LedgerEntry.objects.count() == Message.objects.count() == 50


def test_told_again_nothing_happens() -> None:
    intents = [intent_for(once(f"reader{number}@example.org")) for number in range(3)]
    new_gifts.record(intents)
    assert new_gifts.record(intents) == set()
    together(intents)
    assert Payment.objects.count() == LedgerEntry.objects.count() == Message.objects.count() == 3


def test_a_checkout_that_is_not_ours_is_left_to_the_ledger() -> None:
    ours = intent_for(once("reader@example.org"))
    strangers = [replace(ours, id=f"pi_{name}", checkout=name) for name in ("", "cart-7", str(uuid4()))]
    assert new_gifts.record([*strangers, ours]) == {ours}
    gift_letters.thank_once([])
    assert Message.objects.count() == 1
