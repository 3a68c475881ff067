"""Payment methods in words, and which of them are debits that a bank can take back weeks later."""

from __future__ import annotations

from typing import Any

import pytest

from payments.models import DEBITS, Payment
from payments.stripe_api import means
from payments.templatetags import letters


@pytest.mark.parametrize(
    ("kind", "details", "words", "is_debit"),
    [
        ("card", {"brand": "visa", "last4": "4242"}, "Visa 4242", False),
        ("card", {"brand": "cartes_bancaires", "last4": "0001"}, "Cartes Bancaires 0001", False),
        ("card", {"brand": None, "last4": None}, "Card", False),
        ("sepa_debit", {"last4": "3000"}, "SEPA 3000", True),
        ("bacs_debit", {"last4": "2345"}, "Bacs 2345", True),
        ("us_bank_account", {"bank_name": "Test Bank", "last4": "6789"}, "ACH 6789", True),
        ("acss_debit", {"last4": "9000"}, "PAD 9000", True),
        ("au_becs_debit", {"last4": "3456"}, "BECS 3456", True),
        ("nz_bank_account", {"last4": "0110"}, "NZ BECS 0110", True),
        ("bacs_debit", {"last4": None}, "Bacs", True),
        ("link", {"email": "x@example.org"}, "Link", False),
        ("ideal", {}, "iDEAL", False),
        ("paypal", None, "PayPal", False),
        ("way_of_next_year", {}, "Way Of Next Year", False),
    ],
)
def test_a_method_in_words(kind: str, details: dict[str, Any] | None, words: str, is_debit: bool) -> None:
    label = means.method({"type": kind, kind: details})
    assert label == words
    assert Payment(method=label).is_debit is is_debit
    assert letters.account(label) == (details["last4"] if is_debit and details and details["last4"] else "")


def test_every_scheme_is_a_debit() -> None:
    assert sorted(means.DEBITS.values()) == sorted(DEBITS)
